"""A hub for the tests: a server that keeps real files and speaks the protocol of huggingface.co for data sets.

    with HubServer(folder) as hub:
        hub.add_user("ada", "hf_…")                         # a token that may write
        hub.put("lab/shop", {"raw/rows.jsonl": b"…"})       # a public data set with one commit
        hub.faults.append(Fault("cut", "/resolve/", after=1000))

Repositories have commits with parents and branches, private and gated ones ask for a token, large files go through the
LFS protocol, downloads answer ranges, and a commit on an old parent is refused (412). Faults spoil chosen requests.
"""

import base64
import hashlib
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ADA = "hf_AdaMayWriteEverywhere"  # the token of the user ada in the tests
REGULAR_BYTES = 10_000  # larger files, and all Parquet files, go through LFS
_REPOSITORY = r"(?P<kind>datasets|models)/(?P<repo>[^/]+/[^/]+)"
LICENCES = ("apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc0-1.0", "mit", "unknown", "other")  # some of the list
_PIECE = 1 << 16


@dataclass
class Fault:
    """What goes wrong with requests whose method and path hold `where`, from the `first` such one on, `times` times.

    "reset" closes the connection unanswered, "status" answers with `status`, "cut" closes it after `after` bytes of the
    body, "drip" sends `after` bytes and then one every `seconds`.
    """

    kind: str
    where: str = ""
    first: int = 1
    times: int = 10**9
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0
    seconds: float = 0.2
    seen: int = 0

    def strikes(self, request: str) -> bool:
        if self.where not in request:
            return False
        self.seen += 1
        return self.first <= self.seen < self.first + self.times


@dataclass
class User:
    """Who a token belongs to, and what it may do."""

    name: str
    role: str = "write"  # or "read", "fineGrained"
    orgs: tuple[str, ...] = ()
    scoped: tuple[str, ...] = ()  # of a fine-grained token: users, organisations and repositories that it may write to


@dataclass
class Commit:
    id: str
    parent: str | None
    message: str
    files: dict[str, str]  # path -> SHA-256 of its content


@dataclass
class Repository:
    """A data set or model: its branches, each a list of commits, the first one made with it."""

    name: str
    private: bool = False
    gated: bool = False
    allowed: set[str] = field(default_factory=set)  # users who may read it although it is gated
    branches: dict[str, list[Commit]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.name.split("/")[0]

    def find(self, revision: str) -> Commit | None:
        if revision in self.branches:
            return self.branches[revision][-1]
        every = (commit for commits in self.branches.values() for commit in commits)
        return next((commit for commit in every if commit.id == revision), None)


class HubServer:
    """The server, its repositories, users and faults, and the requests that it was sent."""

    def __init__(self, folder: Path, port: int = 0):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.users: dict[str, User] = {}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.large: set[str] = set()  # SHA-256 of what came through LFS
        self.faults: list[Fault] = []
        self.requests: list[str] = []  # "GET /api/… bytes=10-"
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_user(self, name: str, token: str, **rights) -> None:
        self.users[token] = User(name, **rights)

    def put(self, repo: str, files: dict[str, bytes], kind: str = "datasets", branch: str = "main", **facts) -> str:
        """Commit these files to a repository, which is made if there is none; gives the commit's id."""
        with self.lock:
            repository = self.create(kind, repo, **facts)
            kept = {path: self.keep(content) for path, content in files.items()}
            self.large |= {kept[path] for path, content in files.items() if _is_large(path, len(content))}
            return self.commit(repository, branch, repository.branches[branch][-1].files | kept, "put").id

    def create(self, kind: str, repo: str, private: bool = False, gated: bool = False) -> Repository:
        repository = self.repositories.get((kind, repo))
        if repository is None:
            repository = self.repositories[kind, repo] = Repository(repo, private, gated)
            repository.branches["main"] = []
            self.commit(repository, "main", {".gitattributes": self.keep(b"*.parquet filter=lfs\n")}, "initial commit")
        return repository

    def keep(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / digest).write_bytes(content)
        return digest

    def commit(self, repository: Repository, branch: str, files: dict[str, str], message: str) -> Commit:
        commits = repository.branches.setdefault(branch, [])
        parent = commits[-1].id if commits else None
        said = json.dumps([parent, sorted(files.items()), message, len(commits), branch])
        commits.append(Commit(hashlib.sha1(said.encode()).hexdigest(), parent, message, files))
        return commits[-1]

    def head(self, repo: str, branch: str = "main") -> Commit:
        return self.repositories["datasets", repo].branches[branch][-1]

    def read(self, repo: str, path: str, revision: str = "main") -> bytes:
        return (self.folder / self.repositories["datasets", repo].find(revision).files[path]).read_bytes()

    def etag(self, digest: str) -> str:
        """The name of a file's content: SHA-256 if it is large, else what git calls it."""
        if digest in self.large:
            return digest
        content = (self.folder / digest).read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _is_large(path: str, size: int) -> bool:
    return path.endswith((".parquet", ".jsonl")) or size > REGULAR_BYTES


class _Refused(Exception):
    def __init__(self, status: int, message: str, code: str = ""):
        self.status, self.message, self.code = status, message, code


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer of two writes takes 40 ms
    fault: Fault | None = None

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        path = unquote(parts.path)
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self._chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self.rfile.read(size)
        request = f"{self.command} {path} {self.headers.get('Range', '')}".strip()
        with self.hub.lock:
            self.hub.requests.append(request)
            self.fault = next((fault for fault in self.hub.faults if fault.strikes(request)), None)
        if self.fault and self.fault.kind == "reset":
            self._close()
            return
        try:
            if self.fault and self.fault.kind == "status":
                raise _Refused(self.fault.status, "a fault")
            for method, pattern, answer in _ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in method:
                    with self.hub.lock:
                        reply = answer(self, **match.groupdict())
                    self._send(*reply)
                    return
            raise _Refused(404, f"nothing at {path}")
        except _Refused as refused:
            extra = dict(self.fault.headers) if self.fault else {}
            extra |= {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
            self._send(refused.status, {k: v for k, v in extra.items() if v}, json.dumps({"error": refused.message}))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, headers: dict[str, str], body: bytes | str | Path = b"", part: slice | None = None):
        content = body.read_bytes() if isinstance(body, Path) else body.encode() if isinstance(body, str) else body
        content = content[part] if part else content
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.fault.after if self.fault and self.fault.kind in ("cut", "drip") else len(content)
        self.wfile.write(content[:stop])
        if self.fault and self.fault.kind == "cut" and stop < len(content):
            self._close()
        elif self.fault and self.fault.kind == "drip":
            self._drip(content[stop:])

    def _drip(self, content: bytes) -> None:
        try:
            for place in range(len(content)):
                time.sleep(self.fault.seconds)
                self.wfile.write(content[place : place + 1])
        except OSError:
            self.close_connection = True  # who waited has left

    def _close(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    # Who asks

    def _user(self) -> User | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        if token not in self.hub.users:
            raise _Refused(401, "Invalid credentials in Authorization header")
        return self.hub.users[token]

    def _repository(self, kind: str, repo: str, write: bool = False, content: bool = False) -> Repository:
        user, repository = self._user(), self.hub.repositories.get((kind, repo))
        if repository is None or (repository.private and not (user and self._belongs(user, repository.owner))):
            raise _Refused(404 if user else 401, "Repository not found", "RepoNotFound")
        if content and repository.gated and not (user and user.name in repository.allowed | {repository.owner}):
            raise _Refused(403 if user else 401, f"Access to {kind[:-1]} {repo} is restricted", "GatedRepo")
        if write and not (user and self._may_write(user, repository.owner, repo)):
            raise _Refused(403, "You don't have the rights to write to this repository")
        return repository

    def _belongs(self, user: User, owner: str) -> bool:
        return owner == user.name or owner in user.orgs

    def _may_write(self, user: User, owner: str, repo: str) -> bool:
        if user.role == "fineGrained":
            return owner in user.scoped or repo in user.scoped
        return user.role == "write" and self._belongs(user, owner)

    def _commit_at(self, repository: Repository, revision: str) -> Commit:
        commit = repository.find(revision)
        if commit is None:
            raise _Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    # What it answers

    def whoami(self):
        user = self._user()
        if user is None:
            raise _Refused(401, "Invalid username or password.")
        token = {"displayName": "test", "role": user.role}
        if user.role == "fineGrained":
            kinds = [{"type": "dataset" if "/" in name else "user", "name": name} for name in user.scoped]
            rights = ["repo.content.read", "repo.write"]
            token["fineGrained"] = {"global": [], "scoped": [{"entity": k, "permissions": rights} for k in kinds]}
        orgs = [{"type": "org", "name": name, "roleInOrg": "write"} for name in user.orgs]
        who = {"type": "user", "name": user.name, "fullname": user.name, "orgs": orgs}
        return _json(who | {"auth": {"type": "access_token", "accessToken": token}})

    def create_repo(self):
        asked = json.loads(self.body)
        user = self._user()
        owner = asked.get("organization") or (user.name if user else "")
        repo = f"{owner}/{asked['name'].split('/')[-1]}"
        if user is None:
            raise _Refused(401, "Invalid username or password.")
        if not self._may_write(user, owner, repo):
            raise _Refused(403, f"You don't have the rights to create a dataset under the namespace {owner!r}")
        kind = f"{asked.get('type', 'model')}s"
        if (kind, repo) in self.hub.repositories:
            raise _Refused(409, "You already created this dataset repo")
        self.hub.create(kind, repo, private=bool(asked.get("private") or asked.get("visibility") == "private"))
        return _json({"url": f"{self.hub.url}/{kind}/{repo}", "name": repo, "id": repo})

    def info(self, kind: str, repo: str, revision: str = "main"):
        repository = self._repository(kind, repo)
        commit = self._commit_at(repository, revision)
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        facts = {"id": repo, "private": repository.private, "gated": "manual" if repository.gated else False}
        dates = {"lastModified": "2026-11-21T08:00:00.000Z", "createdAt": "2026-11-21T08:00:00.000Z"}
        return _json(facts | dates | {"sha": commit.id, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def refs(self, kind: str, repo: str):
        branches = self._repository(kind, repo).branches
        listed = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commits[-1].id}
            for name, commits in branches.items()
        ]
        return _json({"branches": listed, "converts": [], "tags": [], "pullRequests": []})

    def commits(self, kind: str, repo: str, revision: str):
        repository = self._repository(kind, repo)
        listed, commit = [], self._commit_at(repository, revision)
        while commit:
            said = {"id": commit.id, "title": commit.message, "message": "", "date": "2026-11-21T08:00:00.000Z"}
            listed.append(said | {"authors": [{"user": "someone"}]})
            commit = commit.parent and repository.find(commit.parent)
        return _json(listed)

    def branch(self, kind: str, repo: str, name: str):
        repository = self._repository(kind, repo, write=True)
        if name in repository.branches:
            raise _Refused(409, "Reference already exists")
        start = json.loads(self.body or b"{}").get("startingPoint") or "main"
        commit = self._commit_at(repository, start)
        repository.branches[name] = [commit]
        return _json({})

    def tree(self, kind: str, repo: str, revision: str, path: str | None):
        commit = self._commit_at(self._repository(kind, repo, content=True), revision)
        folder = f"{path.strip('/')}/" if path else ""
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries, folders = [], set()
        for name in sorted(commit.files):
            rest = name.removeprefix(folder)
            if not name.startswith(folder):
                continue
            if "/" in rest:
                folders |= {folder + rest[: place.start()] for place in re.finditer("/", rest)}
            if recursive or "/" not in rest:
                entries.append(self._entry(name, commit.files[name]))
        if folder and not entries and not folders:
            raise _Refused(404, f"{path} does not exist on {revision!r}", "EntryNotFound")
        shown = [name for name in sorted(folders) if recursive or "/" not in name.removeprefix(folder)]
        return _json([{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in shown] + entries)

    def paths_info(self, kind: str, repo: str, revision: str):
        commit = self._commit_at(self._repository(kind, repo, content=True), revision)
        is_json = "json" in self.headers.get("Content-Type", "")
        wanted = json.loads(self.body)["paths"] if is_json else parse_qs(self.body.decode()).get("paths", [])
        return _json([self._entry(path, commit.files[path]) for path in wanted if path in commit.files])

    def _entry(self, path: str, digest: str) -> dict:
        size = (self.hub.folder / digest).stat().st_size
        entry = {"type": "file", "path": path, "size": size, "oid": self.hub.etag(digest)[:40]}
        return entry | ({"lfs": {"oid": digest, "size": size, "pointerSize": 130}} if digest in self.hub.large else {})

    def auth_check(self, kind: str, repo: str):
        self._repository(kind, repo, content=True)
        return _json({})

    def preupload(self, kind: str, repo: str, revision: str):
        repository = self._repository(kind, repo, write=True)
        commit = self._commit_at(repository, revision)
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if _is_large(file["path"], file["size"]) else "regular",
                "shouldIgnore": False,
                "oid": self.hub.etag(commit.files[file["path"]]) if file["path"] in commit.files else None,
            }
            for file in json.loads(self.body)["files"]
        ]
        return _json({"files": files})

    def lfs_batch(self, repo: str, kind: str = "models"):
        self._repository(kind, repo, write=True)
        objects = []
        for each in json.loads(self.body)["objects"]:
            answer = {"oid": each["oid"], "size": each["size"]}
            if not (self.hub.folder / each["oid"]).exists():
                where = {"upload": {"href": f"{self.hub.url}/lfs/{each['oid']}"}}
                answer["actions"] = where | {"verify": {"href": f"{self.hub.url}/lfs/verify"}}
            objects.append(answer)
        return _json({"transfer": "basic", "objects": objects})

    def lfs_put(self, oid: str):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise _Refused(400, "content does not match its hash")
        self.hub.keep(self.body)
        self.hub.large.add(oid)
        return 200, {}, b""

    def lfs_verify(self):
        asked = json.loads(self.body)
        file = self.hub.folder / asked["oid"]
        if not file.exists() or file.stat().st_size != asked["size"]:
            raise _Refused(404, "not uploaded")
        return _json({})

    def make_commit(self, kind: str, repo: str, revision: str):
        repository = self._repository(kind, repo, write=True)
        head = self._commit_at(repository, revision)
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") not in (None, head.id):
            raise _Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = self.hub.keep(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if not (self.hub.folder / value["oid"]).exists():
                    raise _Refused(400, f"LFS object {value['oid']} is missing")
                files[value["path"]] = value["oid"]
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        made = self.hub.commit(repository, revision, files, header["summary"])
        where = f"{self.hub.url}/{kind}/{repo}/commit/{made.id}"
        return _json({"success": True, "commitOid": made.id, "commitUrl": where, "hookOutput": ""})

    def validate_yaml(self):
        stated = re.search(r"^license: (.*)$", json.loads(self.body)["content"], re.MULTILINE)
        if stated is None or stated[1] in LICENCES:
            return _json({"errors": [], "warnings": []})
        errors = [{"message": f'"license" must be one of [{", ".join(LICENCES)}]'}]
        return 400, *_json({"error": "Invalid metadata", "errors": errors, "warnings": []})[1:]

    def resolve(self, repo: str, revision: str, path: str, kind: str = "models"):
        commit = self._commit_at(self._repository(kind, repo, content=True), revision)
        if path not in commit.files:
            raise _Refused(404, f"Entry not found: {path}", "EntryNotFound")
        digest = commit.files[path]
        file = self.hub.folder / digest
        size, etag = file.stat().st_size, self.hub.etag(digest)
        headers = {"X-Repo-Commit": commit.id, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if digest in self.hub.large:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(size)}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return 200, headers, file
        start, stop = int(asked[1]), min(int(asked[2]) + 1 if asked[2] else size, size)
        if start >= size:
            return 416, headers | {"Content-Range": f"bytes */{size}"}, b""
        return 206, headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}, file, slice(start, stop)


def _json(answer: object) -> tuple[int, dict[str, str], str]:
    return 200, {"Content-Type": "application/json"}, json.dumps(answer)


_ROUTES = [
    (("GET",), "/api/whoami-v2", _Handler.whoami),
    (("POST",), "/api/repos/create", _Handler.create_repo),
    (("POST",), "/api/validate-yaml", _Handler.validate_yaml),
    (("GET",), f"/api/{_REPOSITORY}", _Handler.info),
    (("GET",), f"/api/{_REPOSITORY}/revision/(?P<revision>.+)", _Handler.info),
    (("GET",), f"/api/{_REPOSITORY}/refs", _Handler.refs),
    (("GET",), f"/api/{_REPOSITORY}/commits/(?P<revision>.+)", _Handler.commits),
    (("POST",), f"/api/{_REPOSITORY}/branch/(?P<name>.+)", _Handler.branch),
    (("GET",), f"/api/{_REPOSITORY}/tree/(?P<revision>[^/]+)(?P<path>/.*)?", _Handler.tree),
    (("POST",), f"/api/{_REPOSITORY}/paths-info/(?P<revision>.+)", _Handler.paths_info),
    (("GET",), f"/api/{_REPOSITORY}/auth-check", _Handler.auth_check),
    (("POST",), f"/api/{_REPOSITORY}/preupload/(?P<revision>.+)", _Handler.preupload),
    (("POST",), f"/api/{_REPOSITORY}/commit/(?P<revision>.+)", _Handler.make_commit),
    (("POST",), r"/(?P<kind>datasets)/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    (("POST",), r"/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    (("PUT",), "/lfs/(?P<oid>[0-9a-f]{64})", _Handler.lfs_put),
    (("POST",), "/lfs/verify", _Handler.lfs_verify),
    (("GET", "HEAD"), f"/{_REPOSITORY}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _Handler.resolve),
    (("GET", "HEAD"), r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _Handler.resolve),
]
