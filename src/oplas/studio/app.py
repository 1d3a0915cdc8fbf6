"""The studio over HTTP: routes, errors as facts, the page itself."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as Status

from .._errors import OplasError
from . import asked as asked_
from . import mixes, schema
from .guard import Guard
from .library import Score
from .studio import Studio
from .wav import sound, wav
from .words import without_paths
from .worker import Busy, decode

STATIC = Path(__file__).with_name("static")


def routes(studio: Studio, roots: Iterable[PurePath] = ()) -> FastAPI:
    """The routes of :mod:`oplas.studio.schema`, unguarded; ``roots`` are folders that no message may name."""
    app = FastAPI(title="oplas studio", docs_url=None, redoc_url=None, openapi_url=None)
    hidden = tuple(roots)
    library, rate = studio.library, studio.library.space.encoder.rate

    def fault(status: int, fact: str, at: int | None = None) -> JSONResponse:
        return JSONResponse({"error": without_paths(fact, hidden), "at": at}, status)

    @app.exception_handler(OplasError)
    async def known(request: Request, error: OplasError) -> JSONResponse:
        return fault(422, str(error), getattr(error, "at", None))

    @app.exception_handler(KeyError)
    async def absent(request: Request, error: KeyError) -> JSONResponse:
        return fault(404, "there is nothing of that name; it may have been let go")

    @app.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> JSONResponse:
        return fault(503, "the studio is busy with others' questions; ask again in a moment")

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"][1:])
        return fault(400, f"{where or 'the request'}: {first['msg']}"[:300])

    @app.exception_handler(Status)
    async def told(request: Request, error: Status) -> JSONResponse:
        return fault(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        traceback.print_exception(error, file=sys.stderr)
        return fault(500, "the studio could not answer; its terminal says more")

    @app.get("/api/space")
    def space() -> schema.SpaceInfo:
        return studio.info

    @app.get("/api/points")
    def points(axes: asked_.Axes = 2) -> Response:
        return Response(studio.map.points(axes), media_type="application/octet-stream")

    @app.get("/api/column/{name}")
    def column(name: str) -> schema.ColumnData:
        return studio.column(name)

    @app.get("/api/point/{i}")
    def point(i: asked_.Index) -> schema.Point:
        return studio.point(i)

    @app.get("/api/point/{i}/audio")
    def audio(i: asked_.Index, request: Request, operator: str | None = None) -> Response:
        library.check([i])
        wave = library.source.sound(i)
        if wave is None:
            raise HTTPException(404, "this point has no sound at hand")
        if operator is not None:
            deed, values = studio.deed(operator, _numbers(request))
            if deed.sound is None:
                raise HTTPException(404, f"nobody knows how to do {operator} to sound")
            wave = deed.sound(wave, values)
        return sound(request, wav(wave, rate))

    @app.get("/api/point/{i}/roll")
    def roll(i: asked_.Index, request: Request, operator: str | None = None) -> schema.Roll:
        library.check([i])
        score = library.source.score(i)
        if score is None:
            raise HTTPException(404, "this point has no notes at hand")
        if operator is not None:
            deed, values = studio.deed(operator, _numbers(request))
            if deed.score is None:
                raise HTTPException(404, f"nobody knows how to do {operator} to notes")
            score = deed.score(score, values)
        return _roll(score)

    @app.post("/api/neighbours")
    def neighbours(asked: asked_.Neighbours) -> list[schema.Hit]:
        return studio.neighbours(asked)

    @app.post("/api/operate")
    def operate(asked: asked_.Operate) -> schema.Moved:
        return studio.operate(asked)

    @app.post("/api/operate/plan")
    def plan(asked: asked_.Plan) -> Response:
        knots, blob = studio.plan(asked)
        headers = {"X-Oplas-Knots": ",".join(f"{knot:g}" for knot in knots)}
        return Response(blob, media_type="application/octet-stream", headers=headers)

    @app.post("/api/search")
    def search(asked: asked_.Search) -> schema.Found:
        return studio.search(asked)

    @app.get("/api/faders")
    def faders() -> list[schema.Fader]:
        return studio.faders()

    @app.post("/api/faders/{name}")
    def fade(name: str, asked: asked_.Fade) -> schema.Moved:
        return studio.fade(name, asked)

    @app.post("/api/parts")
    def parts(asked: asked_.Decompose) -> schema.Parts:
        return studio.parts(asked)

    @app.get("/api/ring")
    def ring() -> schema.Ring:
        return studio.circle.ring()

    @app.get("/api/ring/{song}/roll")
    def ring_roll(song: asked_.Index, fifths: Annotated[int, Query(ge=-12, le=12)] = 0) -> schema.Roll:
        if not 0 <= song < len(studio.circle.songs.names):
            raise KeyError(song)
        return _roll(studio.circle.moved(song, fifths))

    @app.post("/api/ring/turn")
    def turn(asked: asked_.Turn) -> schema.Turned:
        return studio.circle.turn(asked.i, asked.fifths, asked.k)

    @app.get("/api/certificate")
    def certificate() -> dict[str, Any]:
        if library.certificate is None:
            raise HTTPException(404, "this space has no certificate; run 'oplas certify' on songs it has not heard")
        return library.certificate

    @app.get("/certificate")
    def report() -> HTMLResponse:
        from ..report.page import POLICY

        html = studio.report
        return HTMLResponse(html, headers={"content-security-policy": f"{POLICY}; frame-ancestors 'none'; base-uri 'none'"})

    @app.post("/api/mix")
    async def mix(request: Request) -> schema.Mix:
        from starlette.concurrency import run_in_threadpool

        if not library.source.audio or not rate:
            raise HTTPException(404, "this space hears no sound, so there is nothing to mix")
        async with request.form(max_files=mixes.STEMS, max_fields=4) as form:
            files = [each for each in form.getlist("files") if isinstance(each, UploadFile)]
            told = form.get("gains")
            gains = _gains(told if isinstance(told, str) else None, len(files))
            return await run_in_threadpool(_mixed, studio, files, gains)

    @app.post("/api/mix/{name}")
    def remix(name: str, asked: asked_.Faders) -> schema.Mix:
        return studio.mixer.judge(studio.mixer.get(name), asked.gains, asked.removed, asked.at)

    @app.get("/api/mix/{name}/audio")
    def mixed(name: str, request: Request, removed: str = "", gains: str | None = None) -> Response:
        session = studio.mixer.get(name)
        out = {int(each) for each in removed.split(",") if each.isdecimal()}
        rows = session.gained(_gains(gains, len(session.waves)))
        return sound(request, wav(sum(row for i, row in enumerate(rows) if i not in out) + 0 * rows[0], rate))

    @app.get("/api/mix/{name}/stem/{i}")
    def stem(name: str, i: asked_.Index, request: Request) -> Response:
        waves = studio.mixer.get(name).waves
        if not 0 <= i < len(waves):
            raise KeyError(i)
        return sound(request, wav(waves[i], rate))

    page(app)
    return app


def page(app: FastAPI) -> None:
    """The built page at ``/`` and what it loads at ``/static``."""

    @app.get("/")
    def index() -> Response:
        if not (STATIC / "index.html").is_file():
            return PlainTextResponse("The page was not built: run 'make web' in the repository, or install the wheel.", 503)
        return FileResponse(STATIC / "index.html")

    if STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC))


def guarded(studio: Studio, *, token: str | None = None, hosts: Iterable[str] = (), roots: Iterable[PurePath] = ()) -> Guard:
    """The whole studio as an ASGI application."""
    from .guard import names_of

    return Guard(routes(studio, roots), token=token, hosts=names_of(hosts))


def _mixed(studio: Studio, files: list[UploadFile], gains: list[float]) -> schema.Mix:
    rate, waves = studio.library.space.encoder.rate, []
    names = [PurePath((each.filename or "stem").replace("\\", "/")).name[:100] or "stem" for each in files]
    for name, each in zip(names, files, strict=True):
        each.file.rollover()  # type: ignore[attr-defined]  # onto the disk, nameless: the decoder is given its descriptor
        each.file.flush()
        each.file.seek(0)
        waves.append(decode(each.file, name, rate))
    session = studio.mixer.keep(names, waves)
    return studio.mixer.judge(session, gains)


def _gains(told: str | None, count: int) -> list[float]:
    if told is None:
        return [0.0] * count
    try:
        gains = [float(each) for each in told.split(",")]
    except ValueError:
        raise HTTPException(400, "gains are numbers in dB, comma-separated") from None
    if len(gains) != count or not all(-60 <= each <= 24 for each in gains):
        raise HTTPException(400, f"give {count} gains from -60 to 24 dB, comma-separated")
    return gains


def _numbers(request: Request) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in request.query_params.items() if name != "operator"}
    except ValueError:
        raise HTTPException(400, "an operator's parameters are numbers") from None


def _roll(score: Score) -> schema.Roll:
    notes = score.notes
    columns = (each.tolist() for each in (notes.onset, notes.length, notes.pitch, notes.velocity, notes.part))
    rows = list(zip(*columns, strict=True))
    return schema.Roll(name=notes.name, beats=notes.beats, tempo=score.tempo, parts=list(notes.parts), notes=rows)
