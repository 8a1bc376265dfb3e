// Calls a world through the types that openapi-typescript generated:
//
//     node calls.js BASE_URL API_KEY
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { argv } from "node:process";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./wavetank.js";

// What an event carries, and what is sent for a build: schemas are types of their own.
const body: components["schemas"]["NewBuild"] = { name: "" };
type Query = NonNullable<operations["listImages"]["parameters"]["query"]>;
const query: Query = { status: "active", page_size: 2 };

const [baseUrl, apiKey] = argv.slice(2);
assert(baseUrl && apiKey);
const anonymous = createClient<paths>({ baseUrl });
const { data: token } = await anonymous.POST("/v1/auth/token", { body: { api_key: apiKey } });
assert(token);
const headers = { Authorization: `Bearer ${token.access_token}` };
const client = createClient<paths>({ baseUrl, headers });

const { data: page } = await client.GET("/v1/images", { params: { query } });
const image = page?.items[0];
assert(page && image);
assert.equal(page.items.length, 2);
assert.equal(image.status, "active");

const { data: sboms } = await client.GET("/v1/images/{image}/sboms", {
  params: { path: { image: image.name }, query: { as_of: page.as_of } },
});
const sbom = sboms?.items[0];
assert(sbom);

const { data: bytes } = await client.GET("/v1/artifacts/{sha256}", {
  params: { path: { sha256: sbom.sha256 } },
  parseAs: "arrayBuffer",
});
assert(bytes);
assert.equal(createHash("sha256").update(new Uint8Array(bytes)).digest("hex"), sbom.sha256);

body.name = image.name;
const { data: build } = await client.POST("/v1/images", { body });
assert(build);
assert.equal(build.image, image.name);
assert.equal(build.trigger, "manual");

const { error: problem } = await client.GET("/v1/images/{image}", {
  params: { path: { image: "no-such-image" } },
});
assert(problem);
assert.equal(problem.status, 404);
assert.equal(problem.code, "image_not_found");
