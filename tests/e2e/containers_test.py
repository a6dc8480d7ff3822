"""Containers that bind the mount's parent `ro,rslave` see the secrets, whichever came first, and through restarts."""

import os
import subprocess

from containers import *
from harness import *
from programs import *


class PodmanTest(PodmanCase):
    def test_secrets_in_a_container(self):
        self.need_it_to_run("podman")
        self.live_through_it()

    def test_a_single_file_in_a_container(self):
        self.need_it_to_run("podman")
        self.follow_a_single_file(lambda source, target: ("--volume", "%s:%s:ro" % (source, target)))

    def test_root_of_a_user_namespace_reads_what_its_own_user_may(self):
        """Its root is the app's user outside, as that of rootless podman would be."""
        self.need_it_to_run("podman")
        self.begin()
        for name, user in ((ROOTS, 0), (APPS, APP)):
            self.owner.set(name, b"one")
            self.owner.run("grant", "web-1", name, "--owner", str(user))
        mount = Mount(self.web1, "parent/secrets").start()
        self.addCleanup(mount.stop)
        until("the listing", lambda: os.path.exists(mount.file(APPS)))
        container = self.start("a user namespace", 0, "--uidmap", "0:%d:1000" % APP, "--gidmap", "0:%d:1000" % APP)
        self.assertEqual(container.ask("id -u"), "0\n")
        self.assertEqual(container.ask("cat /run/grantfs/secrets/" + APPS), "one")
        self.assertIn("Permission denied", container.ask("cat /run/grantfs/secrets/" + ROOTS))


class ImageCase(PodmanCase):
    """What an example names is run with another image, of the same root."""

    def make_image(self):
        """A pod's first container runs what the image says. A cache of podman's cannot be put elsewhere but by hiding where it
        is."""
        archive = os.path.join(self.dir, "image.tar")
        self.run_ok("tar", "-cf", archive, "-C", self.root, ".")
        self.run_ok("unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount -t tmpfs tmpfs /var/lib && exec "$@"', "sh",
                    self.podman, "import", "--change", "ENV PATH=/bin", "--change",
                    'CMD ["/bin/sh", "-c", "trap exit TERM; sleep 1000 & wait"]', archive, "localhost/shop:latest")


class ComposeTest(ImageCase):
    """The example as it stands, run by docker-compose, with podman in Docker's place behind the socket."""

    OVERRIDE = "services: {shop: {image: 'localhost/shop:latest', network_mode: none, stop_grace_period: 0s}}\n"

    def setUp(self):
        super().setUp()
        self.compose = need("docker-compose")

    def test_secrets_in_a_service(self):
        self.need_it_to_run("podman")
        self.make_image()
        self.begin()
        self.owner.set(PASSWORD, b"one")
        self.owner.run("grant", "web-1", PASSWORD, "--owner", str(APP))
        self.serve_docker()
        override = self.write("override.yaml", self.OVERRIDE)
        self.project = [self.compose, "--project-name", "shop", "--file", os.path.join(EXAMPLES, "compose/compose.yaml"), "--file", override]
        self.addCleanup(lambda: self.run_any(*self.project, "down", "--timeout", "0"))
        self.run_ok(*self.project, "up", "--detach")
        self.assertEqual(self.inside("ls /run/grantfs/secrets"), "")
        mount = Mount(self.web1, "parent/secrets").start()  # after the container, which binds its parent
        self.addCleanup(mount.stop)
        read = 'cat "$DB_PASSWORD_FILE"'
        for value in ("one", "two, and longer"):
            self.owner.set(PASSWORD, value.encode())
            until("the service to read " + value, lambda: self.inside(read) == value)
        self.assertEqual(self.inside("id -u"), "%d\n" % APP)
        mount.stop()
        mount.start()
        until("the service to read through the mount's restart", lambda: self.inside(read) == value)

    def inside(self, command):
        done = self.run_any(*self.project, "exec", "-T", "shop", "/bin/sh", "-c", command, stdin=subprocess.DEVNULL)
        return done.stdout

    def serve_docker(self):
        socket = os.path.join(self.dir, "docker.sock")
        self.world.environ["DOCKER_HOST"] = "unix://" + socket
        service = subprocess.Popen([self.podman, "system", "service", "--time", "0", "unix://" + socket], stdin=subprocess.DEVNULL,
                                   env={**self.world.environ, "PATH": PATH})
        self.addCleanup(service.wait)
        self.addCleanup(service.terminate)
        until("podman to serve Docker's interface", lambda: os.path.exists(socket))


class KubernetesTest(ImageCase):
    """The example's pod, run by podman instead of a kubelet: with another image, and the parent where the test has it."""

    def test_secrets_in_a_pod(self):
        self.need_it_to_run("podman")
        self.make_image()
        self.begin()
        self.owner.set(PASSWORD, b"one")
        self.owner.run("grant", "web-1", PASSWORD, "--owner", str(APP))
        mount = Mount(self.web1, "parent/secrets").start()
        self.addCleanup(mount.stop)
        until("the listing", lambda: os.path.exists(mount.file(PASSWORD)))
        pod = self.write("pod.yaml", self.example("kubernetes/pod.yaml", {
            "image: debian:12": "image: localhost/shop:latest", "path: /run/grantfs\n": "path: %s\n" % self.parent}))
        self.addCleanup(self.remove_pod)
        for value in ("one", "two, and longer"):
            self.owner.set(PASSWORD, value.encode())
            self.run_ok(self.podman, "play", "kube", "--network", "none", pod)
            self.assertEqual(self.run_ok(self.podman, "wait", "shop-shop"), "0\n")
            self.assertEqual(self.run_ok(self.podman, "logs", "shop-shop"), value)
            self.remove_pod()

    def remove_pod(self):
        self.run_ok(self.podman, "pod", "rm", "--force", "--ignore", "--time", "0", "shop")


class BubblewrapTest(ContainerCase):
    """As root, and as a user who has nothing but user namespaces."""

    def setUp(self):
        super().setUp()
        self.bwrap, self.setpriv = need("bwrap", "setpriv")

    def command(self, user, options, *inside):
        become = [self.setpriv, "--reuid=%d" % user, "--regid=%d" % user, "--clear-groups"] if user else []
        return [*become, self.bwrap, "--ro-bind", self.root, "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", self.parent,
                "/run/grantfs", "--unshare-pid", "--unshare-net", "--die-with-parent", *options, *inside]

    def test_secrets_in_a_sandbox(self):
        self.need_it_to_run("bubblewrap")
        self.live_through_it()

    def test_a_single_file_in_a_sandbox(self):
        self.need_it_to_run("bubblewrap")
        self.follow_a_single_file(lambda source, target: ("--ro-bind", source, target))


if __name__ == "__main__":
    main()
