// A client of DPoP that knows nothing of the gateway: oauth4webapi, OpenID certified.
//
// node dpop_client.mjs ISSUER URL CALLS: takes a token by client credentials, POSTs a chat call to the
// URL that many times, and prints a list of {"status", "refused"}, where "refused" is the error of the
// challenge that a call was repeated after.
import * as oauth from 'oauth4webapi';

const [issuer, url, calls] = process.argv.slice(2);
const plain = { [oauth.allowInsecureRequests]: true };
const client = { client_id: 'batch' };
const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), plain),
);
const options = { ...plain, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) };
const grant = await oauth.clientCredentialsGrantRequest(
  server,
  client,
  oauth.ClientSecretBasic('batch-secret'),
  { scope: 'llm:invoke', resource: 'https://gateway.example/RS256' },
  options,
);
const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, grant);

const headers = new Headers({ 'content-type': 'application/json' });
const body = JSON.stringify({ model: 'openai-gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
const call = () =>
  oauth.protectedResourceRequest(token, 'POST', new URL(url), headers, body, options);

const told = [];
for (let made = 0; made < Number(calls); made += 1) {
  let refused = null;
  let response;
  try {
    response = await call();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    refused = error.cause.find(({ scheme }) => scheme === 'dpop').parameters.error;
    response = await call();
  }
  await response.text();
  told.push({ status: response.status, refused });
}
console.log(JSON.stringify(told));
