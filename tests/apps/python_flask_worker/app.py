import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return f"Hello from Flask, dyno {os.environ.get('DYNO', '')}, release {os.environ.get('HEROKU_RELEASE_VERSION', '')}\n"
