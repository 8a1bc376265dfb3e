"""Calls a world through the client that openapi-python-client generated.

    calls.py BASE_URL API_KEY    with the generated package `wavetank_client` on PYTHONPATH
"""

import hashlib
import sys

from wavetank_client import AuthenticatedClient, Client
from wavetank_client.api.artifacts import get_artifact
from wavetank_client.api.identity import get_token
from wavetank_client.api.images import build_image, get_image, list_images, list_sboms
from wavetank_client.models import (
    Build,
    BuildTrigger,
    Credentials,
    Image,
    ImagePage,
    ImageStatus,
    NewBuild,
    Problem,
    SbomPage,
    Token,
)
from wavetank_client.types import File


def main(base: str, key: str) -> None:
    anonymous = Client(base_url=base)
    token = get_token.sync(client=anonymous, body=Credentials(api_key=key))
    assert isinstance(token, Token), token
    client = AuthenticatedClient(base_url=base, token=token.access_token)

    page = list_images.sync(client=client, status=ImageStatus.ACTIVE, page_size=2)
    assert isinstance(page, ImagePage), page
    image: Image = page.items[0]
    assert len(page.items) == 2 and image.status is ImageStatus.ACTIVE, page

    sboms = list_sboms.sync(image.name, client=client, as_of=page.as_of)
    assert isinstance(sboms, SbomPage), sboms
    sbom = sboms.items[0]

    document = get_artifact.sync(sbom.sha256, client=client)
    assert isinstance(document, File), document
    assert hashlib.sha256(document.payload.read()).hexdigest() == sbom.sha256

    build = build_image.sync(client=client, body=NewBuild(name=image.name))
    assert isinstance(build, Build), build
    assert build.image == image.name and build.trigger is BuildTrigger.MANUAL, build

    problem = get_image.sync("no-such-image", client=client)
    assert isinstance(problem, Problem), problem
    assert (problem.status, problem.code) == (404, "image_not_found"), problem


main(*sys.argv[1:])
