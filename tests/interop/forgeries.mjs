// The verdicts of sigstore-js on a catalogue of forgeries. Like every library of its kind it leaves to
// its caller what a bundle must be about: the predicate type and the artifact are compared here.
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [tools, catalogue] = process.argv.slice(2);
const require = createRequire(join(tools, 'node_modules', 'any.js'));
const { bundleFromJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

function verify(directory, predicateType) {
  const read = (name) => readFileSync(join(directory, name));
  const bundle = bundleFromJSON(JSON.parse(read('bundle.sigstore.json')));
  const root = TrustedRoot.fromJSON(JSON.parse(read('trusted_root.json')));
  const publicKey = createPublicKey(read('key.pub'));
  const material = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0 }).verify(toSignedEntity(bundle));
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString());
  const sha256 = createHash('sha256').update(read('artifact')).digest('hex');
  if (statement.predicateType !== predicateType) throw new Error('another predicate type');
  if (!statement.subject.some(({ digest }) => digest.sha256 === sha256)) {
    throw new Error('another subject');
  }
}

const index = JSON.parse(readFileSync(join(catalogue, 'index.json')));
const verdicts = {};
for (const { name, predicate_type: predicateType } of index.cases) {
  try {
    verify(join(catalogue, name), predicateType);
    verdicts[name] = 'pass';
  } catch {
    verdicts[name] = 'fail';
  }
}
console.log(JSON.stringify(verdicts));
