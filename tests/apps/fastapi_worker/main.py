"""Answers who it is, echoes what comes over a websocket, and says what it was given to run with."""

import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.get("/")
def index():
    return {"app": "fastapi_worker", "dyno": os.environ.get("DYNO"), "release": os.environ.get("HEROKU_RELEASE_VERSION")}


@app.get("/env/{name}")
def env(name: str):
    return {name: os.environ.get(name)}


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    try:
        while True:
            await socket.send_text(f"{os.environ.get('DYNO')} {await socket.receive_text()}")
    except WebSocketDisconnect:
        pass
