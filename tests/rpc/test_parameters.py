"""The query of a REST request."""

import pytest

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.parameters import Parameters, read


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", Parameters()),
        ("alt=json", Parameters()),
        ("$alt=json", Parameters()),
        ("%24alt=json;enum-encoding=int", Parameters(enum_as_int=True)),
        ("$alt=json%3Benum-encoding%3Dint", Parameters(enum_as_int=True)),
        ("alt=proto", Parameters(as_protobuf=True)),
        ("prettyPrint=false", Parameters(pretty=False)),
        ("$prettyPrint=FALSE", Parameters(pretty=False)),
        ("prettyPrint=true", Parameters()),
        ("prettyPrint=0", Parameters(pretty=False)),
        ("fields=topics(name),nextPageToken", Parameters(selection={"topics": {"name": {}}, "nextPageToken": {}})),
        ("fields=", Parameters()),
        (
            "key=k&access_token=a&oauth_token=o&quotaUser=q&uploadType=u&upload_protocol=raw&callback=c&$.xgafv=1&$key=k&$.xgafv=2",
            Parameters(),
        ),
        ("pageSize=2&pageToken=a%2Bb&pageSize=3", Parameters(bound={"pageSize": ["2", "3"], "pageToken": ["a+b"]})),
        ("schemaId=", Parameters(bound={"schemaId": [""]})),
        ("options.requestedPolicyVersion=3", Parameters(bound={"options.requestedPolicyVersion": ["3"]})),
        ("Alt=json", Parameters(bound={"Alt": ["json"]})),
    ],
)
def test_what_a_query_asks_for(query: str, parameters: Parameters) -> None:
    assert read(query) == parameters


@pytest.mark.parametrize("query", ["alt=media", "alt=json;enum-encoding=name", "alt=", "prettyPrint=perhaps", "fields=a(", "fields=!"])
def test_a_system_parameter_that_means_nothing_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match=r"[Ii]nvalid"):
        read(query)
