"""A studio of :mod:`studio_fakes`, and clients of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("fastapi")

from studio_fakes import library

from oplas.studio.app import guarded
from oplas.studio.studio import Studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPLAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Studio(library())


@pytest.fixture(scope="session")
def client(studio: Studio) -> Callable:
    """An HTTP client of the guarded studio; keywords are the guard's."""
    from starlette.testclient import TestClient

    def make(base: str = "http://127.0.0.1:8321", **options):
        app = guarded(studio, token=options.pop("token", None), hosts=options.pop("hosts", ()), roots=options.pop("roots", ()))
        for name, value in options.items():
            setattr(app, name, value)
        return TestClient(app, base_url=base, raise_server_exceptions=False, follow_redirects=False)

    return make
