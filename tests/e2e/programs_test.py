"""Programs that others wrote read their credentials from the mount, and go on with the new ones after a rotation."""

import base64
import http.server
import os
import ssl
import subprocess
import threading

from harness import *
from programs import *


class PostgresTest(ProgramCase):
    def test_psql_reads_its_passfile(self):
        psql, initdb, postgres = need("psql", "initdb", "postgres")
        user = need_user("postgres")
        if user.pw_uid == 0:
            self.skipTest("PostgreSQL does not run as root")
        self.begin()
        line = lambda password: ("*:*:*:postgres:%s\n" % password).encode()
        self.give("pgpass", line("first"), "--owner", "postgres", "--mode", "0600")
        mount = self.mount("pgpass")
        data, port = self.directory("pg", user), free_port()
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.run_ok(initdb, "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--no-locale", "--pwfile",
                    self.write("first-password", "first\n", user=user), **as_user)
        self.server("postgres", [postgres, "-D", data, "-p", str(port), "-k", data, "-c", "fsync=off", "-c",
                                 "listen_addresses="], lambda: os.path.exists("%s/.s.PGSQL.%d" % (data, port)), **as_user)

        def ask(statement):
            done = self.run_any(psql, "-w", "-h", data, "-p", str(port), "-U", "postgres", "-Atc", statement,
                                env={"PGPASSFILE": mount.file("pgpass")}, **as_user)
            return (done.stdout if done.returncode == 0 else "") + done.stderr

        until("PostgreSQL to answer", lambda: "starting up" not in ask("select 6 * 7"))
        self.assertEqual(ask("select 6 * 7"), "42\n")
        self.assertEqual(ask("alter user postgres password 'second'"), "ALTER ROLE\n")
        self.assertIn("password authentication failed", ask("select 1"))
        self.rotate("pgpass", line("second"))
        self.assertEqual(ask("select 6 * 7"), "42\n")
        self.assert_read_by("psql", "pgpass", user.pw_uid)


NGINX_CONF = """
user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 16; }}
http {{
  access_log off;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  server {{
    listen 127.0.0.1:{port} ssl;
    include {dir}/tls.conf;
    return 200 "it works";
  }}
}}
"""


class NginxTest(ProgramCase):
    """With the configuration and the reload of examples/nginx."""

    def test_tls_key_and_certificate_change_at_a_reload(self):
        nginx, _ = need("nginx", "openssl")
        self.begin()
        key, cert = certificate(self.dir, "first")
        self.give("tls/server.key", key, "--strict")
        self.give("tls/server.crt", cert)
        mount, port = self.mount("tls/server.key", "tls/server.crt"), free_port()
        pair = [mount.file("tls/server." + kind) for kind in ("crt", "key")]
        self.write("tls.conf", self.example("nginx/tls.conf", {"/run/grantfs/secrets/shop/prod/": mount.path + "/"}))
        self.write("nginx.conf", NGINX_CONF.format(dir=self.dir, port=port))
        command = [nginx, "-p", self.dir, "-e", self.dir + "/nginx-error.log", "-c", self.dir + "/nginx.conf"]
        self.server("nginx", [*command, "-g", "daemon off;"], lambda: answers(port))
        self.assertEqual(self.subject(port), "first")
        reload = lambda nginx=" ".join(command): self.run_any(os.path.join(EXAMPLES, "nginx/reload"), *pair,
                                                              env={"NGINX": nginx, "STATE": self.dir + "/state"})
        self.assertEqual(reload().returncode, 0)
        self.assertEqual(reload("false").returncode, 0, "nothing has changed: nginx is not asked")
        key, cert = certificate(self.dir, "second-with-a-longer-name")
        self.rotate("tls/server.key", key)
        done = reload()
        self.assertNotEqual(done.returncode, 0, "a key without its certificate was taken")
        self.assertIn("key values mismatch", done.stderr)
        self.assertEqual(self.subject(port), "first")
        self.rotate("tls/server.crt", cert)
        self.assertEqual(reload().returncode, 0)
        until("clients to see the new certificate", lambda: self.subject(port) == "second-with-a-longer-name")
        self.assert_read_by("nginx", "tls/server.key")

    def subject(self, port):
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        return self.run_ok("openssl", "x509", "-noout", "-subject", "-nameopt", "multiline", input=pem).split("=")[-1].strip()


class SshTest(ProgramCase):
    def test_ssh_logs_in_with_a_private_key(self):
        ssh, sshd, keygen = need("ssh", "sshd", "ssh-keygen")
        with open("/etc/shadow", encoding="utf-8") as shadow:
            if any(line.startswith("root:!") for line in shadow):
                self.skipTest("root's account is locked: sshd lets nobody in")
        self.begin()
        if not os.path.isdir("/run/sshd"):
            os.mkdir("/run/sshd", 0o755)
            self.addCleanup(os.rmdir, "/run/sshd")
        for name in ("host", "first", "second"):
            self.run_ok(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", os.path.join(self.dir, name))
        private, public = self.key("first")
        self.give("deploy-key", private)
        mount, port = self.mount("deploy-key"), free_port()
        authorized = self.write("authorized_keys", public.decode())
        config = self.write("sshd_config", """
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {dir}/host
            AuthorizedKeysFile {authorized}
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            StrictModes no
            UsePAM no
            PidFile none
            """.format(port=port, dir=self.dir, authorized=authorized))
        self.server("sshd", [sshd, "-D", "-e", "-f", config], lambda: answers(port))
        with open(os.path.join(self.dir, "host.pub"), encoding="utf-8") as host:
            known = self.write("known_hosts", "[127.0.0.1]:%d %s" % (port, host.read()))
        log_in = lambda: self.run_any(ssh, "-F", "none", "-p", str(port), "-i", mount.file("deploy-key"), "-o",
                                      "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o",
                                      "UserKnownHostsFile=" + known, "root@127.0.0.1", "echo it works", stdin=subprocess.DEVNULL)
        done = log_in()
        self.assertEqual(done.stdout, "it works\n", done.stderr)
        private, public = self.key("second")
        self.write("authorized_keys", public.decode())
        self.assertIn("Permission denied", log_in().stderr)
        self.rotate("deploy-key", private)
        done = log_in()
        self.assertEqual(done.stdout, "it works\n", done.stderr)
        self.assert_read_by("ssh", "deploy-key")

    def key(self, name):
        both = []
        for suffix in ("", ".pub"):
            with open(os.path.join(self.dir, name + suffix), "rb") as key:
                both.append(key.read())
        return both


class RedisTest(ProgramCase):
    def test_redis_includes_its_password(self):
        """`include` is read at a start, an ACL file also when ACL LOAD says so."""
        server, client = need("redis-server", "redis-cli")
        self.begin()
        user = lambda password: ("user default on >%s ~* &* +@all\n" % password).encode()
        self.give("redis-auth.conf", b"requirepass first\n")
        self.give("users.acl", user("third"))
        mount, port = self.mount("redis-auth.conf", "users.acl"), free_port()
        common = "bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\n" % (port, self.dir)
        included = self.write("included.conf", common + "include %s\n" % mount.file("redis-auth.conf"))
        ping = lambda password: self.run_ok(client, "--no-auth-warning", "-p", str(port), "ping",
                                            env={"REDISCLI_AUTH": password}) == "PONG\n"
        for password in ("first", "second-and-longer"):
            self.rotate("redis-auth.conf", b"requirepass %s\n" % password.encode())
            process = self.server("redis", [server, included], lambda: answers(port))
            until("Redis to take " + password, lambda: ping(password))
            self.assertFalse(ping("wrong"))
            process.terminate()
            process.wait(20 * SLOWNESS)
        with_acl = self.write("acl.conf", common + "aclfile %s\n" % mount.file("users.acl"))
        self.server("redis", [server, with_acl], lambda: answers(port))
        until("Redis to take the ACL file", lambda: ping("third"))
        self.rotate("users.acl", user("fourth"))
        load = self.run_ok(client, "--no-auth-warning", "-p", str(port), "acl", "load", env={"REDISCLI_AUTH": "third"})
        self.assertEqual(load, "OK\n")
        self.assertTrue(ping("fourth"))
        self.assertFalse(ping("third"))
        self.assert_read_by("redis-(server|check-rdb)", "users.acl")


READ_KEYSTORE = """
import java.io.*;
import java.nio.file.*;
import java.security.KeyStore;

public class ReadKeystore {
  public static void main(String[] args) throws Exception {
    BufferedReader turns = new BufferedReader(new InputStreamReader(System.in));
    while (turns.readLine() != null) {
      char[] password = Files.readString(Path.of(args[1])).strip().toCharArray();
      KeyStore store = KeyStore.getInstance(new File(args[0]), password);
      byte[] whole = Files.readAllBytes(Path.of(args[0]));
      String alias = store.aliases().nextElement();
      System.out.println(alias + " " + store.getKey(alias, password).getAlgorithm() + " " + whole.length);
    }
  }
}
"""


class JavaTest(ProgramCase):
    """A JVM that goes on running opens a PKCS#12 keystore again after its rotation."""

    def setUp(self):
        super().setUp()
        self.openssl = need("openssl")

    def keystore(self, alias, password):
        key, cert = certificate(self.dir, alias)
        path = os.path.join(self.dir, "made.p12")
        subprocess.run([self.openssl, "pkcs12", "-export", "-name", alias, "-passout", "pass:" + password, "-out", path],
                       input=key + cert, check=True, capture_output=True)
        with open(path, "rb") as made:
            return made.read()

    def test_a_program_opens_its_keystore(self):
        java, _ = need("java", "javac")  # javac: only a JDK runs a source file
        self.begin()
        self.give("store.p12", self.keystore("first", "password-1"))
        self.give("store.password", b"password-1\n")
        mount = self.mount("store.p12", "store.password")
        source = self.write("ReadKeystore.java", READ_KEYSTORE)
        with open(os.path.join(self.dir, "java.log"), "wb") as log:
            program = subprocess.Popen([java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", source,
                                        mount.file("store.p12"), mount.file("store.password")], env=self.world.environ,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        self.world.more.append(program)
        for alias in ("first", "second-and-longer"):
            if alias != "first":
                self.rotate("store.p12", self.keystore(alias, "password-2"))
                self.rotate("store.password", b"password-2\n")
            program.stdin.write("\n")
            said = program.stdout.readline().split()
            with open(os.path.join(self.dir, "java.log"), errors="replace") as log:
                self.assertEqual(said, [alias, "EC", str(os.stat(mount.file("store.p12")).st_size)], log.read())
        program.stdin.close()
        self.assertEqual(program.wait(60 * SLOWNESS), 0)
        program.stdout.close()
        self.assert_read_by("java", "store.p12")

    def test_keytool_lists_it(self):
        keytool = need("keytool")
        self.begin()
        self.give("store.p12", self.keystore("first", "password-1"))
        self.give("store.password", b"password-1")
        mount = self.mount("store.p12", "store.password")
        listed = self.run_ok(keytool, "-J-XX:-UsePerfData", "-list", "-storetype", "PKCS12", "-keystore", mount.file("store.p12"),
                             "-storepass:file", mount.file("store.password"))
        self.assertIn("first", listed)


class GitOverHttps(http.server.BaseHTTPRequestHandler):
    """git http-backend behind basic authentication; the server's attributes say where and with which password."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"deploy:" + self.server.password).decode()
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {**self.server.environ, "GIT_PROJECT_ROOT": self.server.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
               "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "deploy",
               "CONTENT_TYPE": self.headers.get("Content-Type") or "", "CONTENT_LENGTH": str(len(body)),
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
               "GIT_PROTOCOL": self.headers.get("Git-Protocol") or ""}
        answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        self.send_response(int(dict(fields).get("Status", "200 OK").split()[0]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *args):
        pass


class GitTest(ProgramCase):
    def test_git_takes_its_credential_from_a_file(self):
        git, _ = need("git", "openssl")
        if not os.path.exists(os.path.join(self.run_ok(git, "--exec-path").strip(), "git-remote-https")):
            self.skipTest("this git has no https")
        self.begin()
        server = self.serve_git(git)
        url = "https://127.0.0.1:%d/shop.git" % server.server_port
        line = lambda password: ("https://deploy:%s@127.0.0.1%%3a%d\n" % (password, server.server_port)).encode()
        self.give("git-credentials", line("first"))
        mount = self.mount("git-credentials")
        store = "store --file " + mount.file("git-credentials")
        # git tells its helper to store what worked, which nobody can do here: a helper that answers `get` alone is silent.
        quiet = "!f() { test \"$1\" != get || git credential-store --file '%s' get; }; f" % mount.file("git-credentials")
        for password in ("first", "second"):
            if password != "first":
                self.rotate("git-credentials", line(password))
                server.password = password.encode()
            for helper in (store, quiet):
                done = self.git(git, "-c", "credential.helper=" + helper, "ls-remote", url)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("refs/heads/main", done.stdout)
            self.assertEqual(done.stderr, "")
        clone = os.path.join(self.dir, "clone")
        done = self.git(git, "-c", "credential.helper=" + quiet, "clone", "-q", url, clone)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(os.path.join(clone, "file")))
        server.password = b"third"
        self.assertNotEqual(self.git(git, "-c", "credential.helper=" + quiet, "ls-remote", url).returncode, 0)
        self.assert_read_by("git(-credential-store)?", "git-credentials")

    def git(self, git, *command):
        return self.run_any(git, *command, env={"GIT_SSL_CAINFO": os.path.join(self.dir, "git-ca.pem"), "LC_ALL": "C",
                                                "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "no_proxy": "127.0.0.1"})

    def serve_git(self, git):
        root = self.directory("git")
        made = os.path.join(root, "made")
        self.run_ok(git, "init", "-q", "-b", "main", made)
        with open(os.path.join(made, "file"), "w", encoding="utf-8") as out:
            out.write("content\n")
        self.run_ok(git, "-C", made, "add", "file")
        self.run_ok(git, "-C", made, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one")
        self.run_ok(git, "clone", "-q", "--bare", made, os.path.join(root, "shop.git"))
        key, cert = certificate(self.dir, "git")
        pair = self.write("git-pair.pem", (key + cert).decode())
        self.write("git-ca.pem", cert.decode())
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitOverHttps)
        server.password, server.root, server.environ = b"first", root, {**self.world.environ, "PATH": PATH}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close(), thread.join()))
        return server


if __name__ == "__main__":
    main()
