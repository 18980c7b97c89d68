const express = require("express");
const built = require("./dist/built.json");

const app = express();

app.get("/", (request, response) => {
  response.json({
    app: "node_express",
    dyno: process.env.DYNO,
    release: process.env.HEROKU_RELEASE_VERSION,
    node: process.versions.node,
    mode: process.env.NODE_ENV,
    built,
  });
});

const server = app.listen(process.env.PORT, "0.0.0.0", () => console.log(`listening on ${process.env.PORT}`));

process.on("SIGTERM", () => {
  console.log("closing");
  server.close();
  server.closeIdleConnections();
});
