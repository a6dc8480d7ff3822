"""The examples that no test runs: what can be checked of them without the program that they are for."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness import *
from programs import EXAMPLES

UNITS = os.path.join(EXAMPLES, "../contrib/systemd")
BIND = "/run/grantfs:/run/grantfs:ro,rslave"  # as podman has it, which a test runs


class YamlTest(unittest.TestCase):
    def load(self, name):
        try:
            import yaml
        except ImportError:
            self.skipTest("Python has no YAML parser (python3-yaml)")
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as example:
            return yaml.safe_load(example)

    def test_kubernetes_binds_the_parent(self):
        pod = self.load("kubernetes/pod.yaml")["spec"]
        [volume], [container] = pod["volumes"], pod["containers"]
        [bind] = container["volumeMounts"]
        self.assertEqual(volume["name"], bind["name"])
        mode = "ro" if bind["readOnly"] else "rw"
        propagation = {"HostToContainer": "rslave", "Bidirectional": "rshared"}[bind["mountPropagation"]]
        self.assertEqual("%s:%s:%s,%s" % (volume["hostPath"]["path"], bind["mountPath"], mode, propagation), BIND)

    def test_podman_binds_the_parent(self):
        with open(os.path.join(EXAMPLES, "podman/run"), encoding="utf-8") as example:
            self.assertIn('"%s"' % BIND.replace("/run/grantfs", "${GRANTFS_PARENT:-/run/grantfs}", 1), example.read())


class SystemdTest(unittest.TestCase):
    def test_units_are_well_formed(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(UNITS, "grantfs-mount.service"), encoding="utf-8") as unit:
                text = unit.read()
            with open(os.path.join(directory, "grantfs-mount.service"), "w", encoding="utf-8") as unit:
                unit.write(text.replace("/usr/local/bin/grantfs ", BINARY + " "))
            for name in ("shop.service", "shop-credential.service"):
                copy = shutil.copy(os.path.join(EXAMPLES, "systemd", name), directory)
                done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), name)


if __name__ == "__main__":
    main()
