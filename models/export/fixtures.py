"""What diffusers' own pipelines paint, for comparing: text-to-image and image-to-image over steps, strengths, guidance."""

import json

import numpy
import torch

from .errors import ExportError
from .scheduler_fixtures import configuration

STEPS = [1, 2, 4, 20]
# None is text-to-image. Where they leave no step diffusers refuses, and there is no case.
STRENGTHS = [None, 0.3, 0.6, 0.9]
GUIDANCE = [1.0, 5.0]
TEXTS = [("neon lights at the oil!", "42 lights!!"), ("the oil at 7, it's neon", "")]


def fixtures(source, out, schedulers=((None, {}),)):
    """Paints every case with the directory's networks in fp32; see `painted`."""
    return painted(*pipelines(source), out, schedulers)


def painted(text, image, out, schedulers):
    """Paints every case with a text-to-image and an image-to-image pipeline on the same networks, and writes latents,
    embeddings and a picture of each scheduler to `out`. A scheduler is a class name, or None for the pipelines' own, and
    what differs from its configuration.
    """
    import diffusers

    size = text.unet.config.sample_size * text.vae_scale_factor
    out.mkdir(parents=True)
    clean = encoded(text, size)
    # A pipeline takes an image of four channels for a latent; latents of other widths come in as the picture that they are of.
    given = clean if clean.shape[1] == 4 else drawn(size) / 255
    own, cases, latents, pictures, configs = dict(text.scheduler.config), [], [], [], []
    kind = type(text.scheduler)
    for name, options in progress(schedulers):
        scheduler = kind if name is None else getattr(diffusers, name)
        config = {**own, **options}
        configs.append(configuration(scheduler.from_config(config)))
        for case in runs():
            text.scheduler = image.scheduler = scheduler.from_config(config)
            case |= {"scheduler": len(configs) - 1, "seed": len(cases)}
            latent = paint(text, image, given, size, case)
            if case["steps"] == 2 and case["strength"] is None and case["guidance_scale"] > 1:
                case["picture"] = len(pictures)
                pictures.append(picture(text, latent))
            cases.append(case)
            latents.append(latent.numpy()[0])
    embeddings, pooled = zip(*[embedding(text, *texts) for texts in TEXTS], strict=True)
    save(out / "clean.npy", clean.numpy())
    save(out / "latents.npy", numpy.stack(latents))
    save(out / "embeddings.npy", numpy.stack(embeddings))
    if pooled[0] is not None:
        save(out / "pooled.npy", numpy.stack(pooled))
    numpy.save(out / "pictures.npy", numpy.stack(pictures))
    texts = [{"prompt": prompt, "negative_prompt": negative} for prompt, negative in TEXTS]
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    said = json.dumps({"size": size, "texts": texts, "schedulers": configs}, indent=1, ensure_ascii=False)
    (out / "cases.json").write_text(f'{said[:-2]},\n "cases": [\n  {lines}\n ]\n}}\n')
    return len(cases)


def runs():
    """Steps × strength × guidance, and one case that has no negative prompt."""
    for steps in STEPS:
        for strength in STRENGTHS:
            for guidance in GUIDANCE:
                if strength is None or int(steps * strength) > 0:
                    yield {"steps": steps, "strength": strength, "guidance_scale": guidance, "text": 0}
    yield {"steps": 4, "strength": 0.6, "guidance_scale": 5.0, "text": 1}


def pipelines(source):
    """The family's two pipelines, on the same networks."""
    import diffusers

    kind = "StableDiffusionXL" if source.is_sdxl() else "StableDiffusion"
    if source.vae != source.directory / "vae":
        raise ExportError("fixtures are painted with the directory's own autoencoder: leave out --vae or --fixtures")
    options = {"local_files_only": True, "low_cpu_mem_usage": False}
    text = getattr(diffusers, f"{kind}Pipeline").from_pretrained(source.directory, **options)
    image = getattr(diffusers, f"{kind}Img2ImgPipeline")(**text.components, **({} if source.is_sdxl() else {"requires_safety_checker": False}))
    for pipeline in (text, image):
        pipeline.set_progress_bar_config(disable=True)
    return text, image


@torch.no_grad()
def encoded(pipeline, size):
    """The latent of a drawn picture. Of mean and log-variance the mean is taken, as Mirror does: diffusers draws from
    both, which costs it a draw of the generator before the noise.
    """
    output = pipeline.vae.encode(drawn(size) / 127.5 - 1)
    latent = output.latents if hasattr(output, "latents") else output.latent_dist.mode()
    return (latent - (pipeline.vae.config.get("shift_factor") or 0)) * pipeline.vae.config.scaling_factor


def drawn(size):
    """The picture: [1, 3, size, size], whole numbers from 0 to 255."""
    colours = torch.arange(size * size * 3, dtype=torch.float32).reshape(size, size, 3) * 7 % 256
    return colours.permute(2, 0, 1)[None].contiguous()


@torch.no_grad()
def paint(text, image, given, size, case):
    """One run of a pipeline, up to the latent."""
    prompt, negative = TEXTS[case["text"]]
    options = {
        "prompt": prompt, "negative_prompt": negative or None, "num_inference_steps": case["steps"], "guidance_scale": case["guidance_scale"],
        "generator": torch.Generator().manual_seed(case["seed"]), "output_type": "latent",
    }  # fmt: skip
    if case["strength"] is None:
        latent = text(height=size, width=size, **options).images
    else:
        latent = image(image=given.clone(), strength=case["strength"], **options).images
    if not torch.isfinite(latent).all():
        raise ExportError(f"diffusers itself paints no finite latent: {case}")
    return latent


@torch.no_grad()
def picture(pipeline, latent):
    """What the pipeline decodes a latent to: [height, width, 3] bytes."""
    decoded = pipeline.vae.decode(latent / pipeline.vae.config.scaling_factor + (pipeline.vae.config.get("shift_factor") or 0), return_dict=False)[0]
    values = pipeline.image_processor.postprocess(decoded, output_type="np")[0]
    return (values * 255).round().astype(numpy.uint8)


@torch.no_grad()
def embedding(pipeline, prompt, negative):
    """Rows of the prompt and of the negative prompt: hidden states and, of SDXL, the pooled ones."""
    options = {"device": "cpu", "num_images_per_prompt": 1, "do_classifier_free_guidance": True, "negative_prompt": negative or None}
    states = pipeline.encode_prompt(prompt, **options)
    pooled = torch.cat(states[2:]).numpy() if len(states) == 4 else None
    return torch.cat(states[:2]).numpy(), pooled


def save(path, values):
    """32 bits, little end first."""
    numpy.save(path, numpy.ascontiguousarray(values, dtype="<f4"))


def progress(items):
    """A bar, where somebody looks on."""
    from tqdm import tqdm

    return tqdm(items, desc="fixtures", unit="scheduler", disable=None, dynamic_ncols=True)
