import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Input(BaseModel):
    text: str


class Prediction(BaseModel):
    input: Input


app = FastAPI()


@app.get("/")
def ready() -> dict:
    return {}


@app.post("/predictions")
def predict(prediction: Prediction) -> dict:
    return {"output": prediction.input.text}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
