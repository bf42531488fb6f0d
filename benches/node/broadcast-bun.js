// The same with Bun: what is posted to /publish goes to every WebSocket client by a topic, as Bun documents it.
const server = Bun.serve({
  port: 0,
    hostname: "127.0.0.1",
  // A publisher may wait long for the last of many clients.
  idleTimeout: 0,
  async fetch(request, server) {
    if (server.upgrade(request)) return;
    server.publish("bench", await request.text());
    return new Response("ok");
  },
  websocket: {
    open(socket) {
      socket.subscribe("bench");
    },
    message() {},
  },
});
console.log(`http://127.0.0.1:${server.port}/`);
