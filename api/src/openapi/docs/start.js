// Starts Swagger UI. An API key that was pasted under "Authorize" is exchanged for a token before
// a request goes out, so that nobody has to copy tokens about; a token that was pasted is sent as
// it is.
(() => {
  const RENEW_BEFORE_MS = 60_000;
  // The last exchange: `{ key, bearer, endsAt }`, in memory only.
  let known = null;

  async function exchange(key) {
    if (known && known.key === key && Date.now() < known.endsAt - RENEW_BEFORE_MS) {
      return known.bearer;
    }
    const response = await fetch('/v1/auth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: key }),
    });
    // The request then goes out with the key, and its answer says what is wrong.
    if (!response.ok) return key;
    const answer = await response.json();
    const endsAt = Date.now() + answer.expires_in * 1000;
    known = { key, bearer: answer.access_token, endsAt };
    return known.bearer;
  }

  async function requestInterceptor(request) {
    const given = /^Bearer\s+(wt_\S+)$/.exec((request.headers?.Authorization ?? '').trim());
    if (given) {
      request.headers.Authorization = `Bearer ${await exchange(given[1])}`;
    }
    return request;
  }

  SwaggerUIBundle({
    dom_id: '#ui',
    url: '/openapi.json',
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor,
  });
})();
