// The baseline of the broadcast: what is posted to /publish goes to every WebSocket client, as `ws` documents it.
import http from "node:http";
import { WebSocketServer } from "ws";

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const event = Buffer.concat(chunks);
    for (const client of clients.clients) client.send(event, { binary: false });
    response.end("ok");
  });
});
const clients = new WebSocketServer({ server });
// A publisher may wait long for the last of many clients.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
