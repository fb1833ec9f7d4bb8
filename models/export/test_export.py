"""The export's own tests: `python -m unittest export.test_export` in models/. `make parity` runs them."""

import contextlib
import io
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from . import miniature
from .__main__ import arguments, run
from .quiet import quiet


def setUpModule():
    quiet()


class Export(unittest.TestCase):
    """Each test breaks a miniature directory in one way."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source, self.out = Path(folder.name) / "source", Path(folder.name) / "out"

    def export(self, *more):
        """Exit status and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = run(arguments([str(self.source), "--out", str(self.out), *more]))
        return status, said.getvalue()

    def refused(self, text, *more):
        """The export fails with that text and leaves nothing behind."""
        status, said = self.export(*more)
        self.assertEqual(status, 1, said)
        self.assertIn(text, said)
        self.assertFalse(self.out.exists() and any(self.out.iterdir()))
        self.assertFalse(self.out.with_name("out.partial").exists())

    def change(self, file, key, value):
        path = self.source / file
        config = json.loads(path.read_text())
        config[key] = value
        path.write_text(json.dumps(config))

    def test_every_family_is_exported_in_every_precision(self):
        for family in miniature.families():
            miniature.write(family, self.source)
            for dtype in ["fp32", "fp16", "int8"]:
                status, said = self.export("--dtype", dtype)
                self.assertEqual(status, 0, said)
                self.assertTrue((self.out / "unet/model.onnx").is_file())
                self.assertIn("differs from PyTorch by at most", said)
                shutil.rmtree(self.out)
            shutil.rmtree(self.source)

    def test_large_graphs_keep_their_weights_beside_them(self):
        miniature.write("sdxs", self.source)
        status, said = self.export("--external-above", "100000")
        self.assertEqual(status, 0, said)
        self.assertTrue((self.out / "unet/model.onnx_data").is_file())
        self.assertFalse((self.out / "vae_decoder/model.onnx_data").exists())

    def test_another_autoencoder_and_another_scheduler_are_taken(self):
        miniature.write("sd15", self.source)
        other = self.source.with_name("other")
        miniature.write("sdxs", other)
        status, said = self.export("--vae", str(other / "vae"), "--scheduler", "DPMSolverMultistepScheduler")
        self.assertEqual(status, 0, said)
        self.assertEqual(json.loads((self.out / "vae_decoder/config.json").read_text())["scaling_factor"], 1.0)
        self.assertEqual(json.loads((self.out / "scheduler/scheduler_config.json").read_text())["_class_name"], "DPMSolverMultistepScheduler")

    def test_what_is_no_diffusers_directory_is_named(self):
        self.refused("is not a directory")
        self.source.mkdir()
        self.refused("is not a diffusers directory: it has no model_index.json")
        (self.source / "model_index.json").write_text("{")
        self.refused("model_index.json cannot be read")
        (self.source / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
        self.refused("names no text_encoder")

    def test_an_unknown_class_is_named_with_those_that_are_known(self):
        miniature.write("sd15", self.source)
        self.change("unet/config.json", "_class_name", "UNet3DConditionModel")
        self.refused('the class "UNet3DConditionModel" cannot be exported; supported are UNet2DConditionModel')

    def test_missing_files_are_named(self):
        for file, text in [("unet/diffusion_pytorch_model.safetensors", "holds no weights"), ("vae/config.json", "vae/config.json is missing"),
                           ("tokenizer/merges.txt", "holds neither tokenizer.json nor"), ("scheduler/scheduler_config.json", "scheduler_config.json is missing")]:  # fmt: skip
            miniature.write("sd15", self.source)
            (self.source / file).unlink()
            self.refused(text)
            shutil.rmtree(self.source)

    def test_weights_that_are_broken_are_named(self):
        miniature.write("sd15", self.source)
        path = self.source / "unet/diffusion_pytorch_model.safetensors"
        path.write_bytes(path.read_bytes()[:1000])
        self.refused("cannot be loaded as UNet2DConditionModel")

    def test_a_unet_for_inpainting_and_an_unknown_scheduler_are_refused(self):
        miniature.write("sd15", self.source)
        self.change("scheduler/scheduler_config.json", "_class_name", "HeunDiscreteScheduler")
        self.refused("choose one with --scheduler")
        self.change("unet/config.json", "in_channels", 9)
        self.refused("UNets for inpainting or editing cannot be exported")

    def test_a_graph_that_differs_too_much_is_refused(self):
        miniature.write("sdxs", self.source)
        self.refused("differs from PyTorch", "--tolerance", "1e-9")

    def test_a_disk_that_is_too_small_is_named(self):
        miniature.write("sdxs", self.source)
        usage, shutil.disk_usage = shutil.disk_usage, lambda place: shutil._ntuple_diskusage(10, 9, 1)
        try:
            self.refused("GB are free there")
        finally:
            shutil.disk_usage = usage

    def test_what_is_there_already_is_not_overwritten(self):
        miniature.write("sdxs", self.source)
        self.out.mkdir()
        (self.out / "mine").write_text("")
        status, said = self.export()
        self.assertEqual((status, [file.name for file in self.out.iterdir()]), (1, ["mine"]))
        self.assertIn("is there already", said)


if __name__ == "__main__":
    unittest.main()
