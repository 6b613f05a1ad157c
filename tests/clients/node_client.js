// Node's https: HOST PATH BODY-FILE COUNT requests on one connection. Node's own
// build has OpenSSL linked into the executable, and gives it memory, not a socket.
const { agent, number: count, post } = require("./https_client.js");

(async () => {
  for (let sent = 0; sent < count; sent++) await post();
  agent.destroy();
})();
