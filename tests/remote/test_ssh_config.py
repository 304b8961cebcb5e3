"""What the user's ssh configuration says, through ssh -G."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from studio.remote.errors import NeedsPerson
from studio.remote.ssh_config import aliases, jump_address, resolve
from studio.remote.transport import NodeAddress


def _config(tmp_path: Path, text: str) -> Path:
    (tmp_path / "config").write_text(text, encoding="utf-8")
    return tmp_path / "config"


def test_that_an_alias_gives_host_port_user_and_key(tmp_path: Path) -> None:
    config = _config(
        tmp_path, "Host gpu\n HostName gpu.example # a comment\n Port 2022\n User me\n IdentityFile /keys/%h_%r\n"
    )
    target = resolve(NodeAddress("n", "ssh", "gpu"), config)
    assert (target.host, target.port, target.user) == ("gpu.example", 2022, "me")
    assert target.identity_files == (Path("/keys/gpu.example_me"),)


def test_that_the_nodes_own_settings_win_over_the_configuration(tmp_path: Path) -> None:
    config = _config(tmp_path, "Host gpu\n Port 2022\n User me\n IdentityFile /keys/other\n")
    target = resolve(NodeAddress("n", "ssh", "gpu", 22, "you", "~/mine"), config)
    assert (target.host, target.port, target.user) == ("gpu", 22, "you")
    assert target.identity_files == (Path("~/mine").expanduser(),)
    assert target.identities_only
    assert target.default_files == ()


def test_that_included_files_and_match_blocks_are_honoured(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Match host gpu.example user me\n HostKeyAlias Cluster\n", encoding="ascii")
    config = _config(tmp_path, f"Include {tmp_path}/more\nHost gpu\n HostName gpu.example\n User me\n")
    assert resolve(NodeAddress("n", "ssh", "gpu"), config).alias == ""
    assert resolve(NodeAddress("n", "ssh", "gpu.example", user="me"), config).alias.lower() == "cluster"


def test_that_default_keys_are_told_apart_from_named_ones(tmp_path: Path) -> None:
    target = resolve(NodeAddress("n", "ssh", "gpu"), _config(tmp_path, ""))
    assert target.identity_files == ()
    assert [path.name for path in target.default_files] == ["id_ed25519", "id_ecdsa", "id_rsa"]
    assert not target.identities_only


def test_that_a_chain_of_jumps_is_kept_in_order(tmp_path: Path) -> None:
    config = _config(tmp_path, "Host inner\n ProxyJump me@first:2022,second\n")
    assert resolve(NodeAddress("n", "ssh", "inner"), config).jumps == ("me@first:2022", "second")


@pytest.mark.parametrize(
    ("spec", "user", "host", "port"),
    [
        ("first", "", "first", 0),
        ("me@first:2022", "me", "first", 2022),
        ("ssh://me@first:2022", "me", "first", 2022),
        ("[::1]:2022", "", "::1", 2022),
        ("fe80::1", "", "fe80::1", 0),
    ],
)
def test_that_a_jump_is_taken_apart(spec: str, user: str, host: str, port: int) -> None:
    address = jump_address(spec)
    assert (address.user, address.host, address.port) == (user, host, port)


def test_that_a_proxy_command_gets_its_tokens_filled_in(tmp_path: Path) -> None:
    config = _config(tmp_path, "Host gpu\n HostName gpu.example\n User me\n ProxyCommand nc %h %p %n %r 100%%\n")
    assert resolve(NodeAddress("n", "ssh", "gpu"), config).proxy_command == "nc gpu.example 22 gpu me 100%"


def test_that_what_only_the_systems_ssh_can_do_is_refused_with_the_way_out(tmp_path: Path) -> None:
    config = _config(tmp_path, "Host gpu\n ProxyCommand nc %h %p\n ProxyUseFdpass yes\n")
    with pytest.raises(NeedsPerson, match="Choose the system's ssh"):
        resolve(NodeAddress("n", "ssh", "gpu"), config)


@pytest.mark.parametrize(
    ("host", "user", "jump"),
    [
        ("-oProxyCommand=x", "", ""),
        ("a;b", "", ""),
        ("$(x)", "", ""),
        ("a\nb", "", ""),
        ("", "", ""),
        ("a", "-x", ""),
        ("a", "m e", ""),
        ("a", "`x`", ""),
        ("a", "", "-Jx"),
        ("a", "", "b,,c"),
        ("a", "", "u$x@b"),
        ("a" * 10 + "\0", "", ""),
    ],
)
def test_that_no_name_becomes_an_option_or_shell_text(host: str, user: str, jump: str, tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson):
        resolve(NodeAddress("n", "ssh", host, user=user, jump=jump), _config(tmp_path, "ProxyCommand nc %h %r\n"))


OUR_READING = """# comment
Host gpu gpu2 !gpu3
    HostName = "%h.example"  # a comment
    Port 2022
Host *.example !no.example
  User wrong
Match originalhost gpu user root,me
  IdentityFile ~/one#1
Include {folder}/more-*
Match host gpu.example
  HostKeyAlias Known
Match !host gpu.example
  ForwardAgent yes
Host *
  User me
  IdentityFile "~/two words"
  ProxyJump first,second
  ProxyCommand never
  StrictHostKeyChecking accept-new
  UserKnownHostsFile ~/a ~/b
  IdentitiesOnly yes
  ConnectTimeout 7
"""


@pytest.mark.parametrize("host", ["gpu", "gpu2", "gpu3", "no.example", "yes.example", "GPU"])
@pytest.mark.parametrize("user", ["", "me", "you"])
def test_that_our_reader_says_what_ssh_says(
    host: str, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(tmp_path, OUR_READING.format(folder=tmp_path))
    (tmp_path / "more-b").write_text("CertificateFile /b\n", encoding="ascii")
    (tmp_path / "more-a").write_text("Host gpu*\n CertificateFile /a\n", encoding="ascii")
    address = NodeAddress("n", "ssh", host, user=user)
    expected = resolve(address, config)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert replace(resolve(address, config), hint="") == expected
    assert aliases(config) == ("gpu", "gpu2")


def test_that_our_reader_stops_at_what_it_cannot_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    mark = tmp_path / "ran"
    for text, said in (
        (f'Match exec "touch {mark}"\n User root\n', "Match exec, which only ssh itself can judge"),
        ("Match tagged work\n User root\n", "Match tagged"),
        (f"Include {tmp_path}/config\n", "circle"),
        ("Port\n", "has no value"),
        ('User "me\n', "quote"),
        ("Port 99999\n", "ports are 1 to 65535"),
    ):
        with pytest.raises(NeedsPerson, match=said):
            resolve(NodeAddress("n", "ssh", "gpu"), _config(tmp_path, text))
    assert not mark.exists()


def test_that_a_mistake_in_the_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson, match="line 1: Bad configuration option"):
        resolve(NodeAddress("n", "ssh", "gpu"), _config(tmp_path, "Nonsense yes\n"))


@pytest.mark.parametrize("host", ["", "-oProxyCommand=touch pwned", "a b", "a;b", "$(x)", "a\nb", "a'b"])
def test_that_a_host_that_is_no_name_is_refused_before_ssh_sees_it(host: str, tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson, match="not the name"):
        resolve(NodeAddress("n", "ssh", host), _config(tmp_path, ""))


def test_that_an_agent_socket_of_the_configuration_is_named(tmp_path: Path) -> None:
    config = _config(tmp_path, 'Host a\n IdentityAgent "/run/agent"\nHost b\n IdentityAgent none\n')
    assert resolve(NodeAddress("n", "ssh", "a"), config).agent == "/run/agent"
    assert resolve(NodeAddress("n", "ssh", "b"), config).agent == "none"
    assert resolve(NodeAddress("n", "ssh", "c"), config).agent == ""
