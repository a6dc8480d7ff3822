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


class KubernetesTest(PodmanCase):
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

    def make_image(self):
        """Of the same root; a pod's first container runs what the image says. A cache of podman's cannot be put elsewhere but
        by hiding where it is."""
        archive = os.path.join(self.dir, "image.tar")
        self.run_ok("tar", "-cf", archive, "-C", self.root, ".")
        self.run_ok("unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount -t tmpfs tmpfs /var/lib && exec "$@"', "sh",
                    self.podman, "import", "--change", "ENV PATH=/bin", "--change",
                    'CMD ["/bin/sh", "-c", "trap exit TERM; sleep 1000 & wait"]', archive, "localhost/shop:latest")


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
