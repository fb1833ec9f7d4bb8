"""Writes what diffusers' schedulers do, for the tests of crates/diffusion.

    python models/export/scheduler_fixtures.py crates/diffusion/tests/fixtures/schedulers.json

A latent and its noise come from seed 1 of PyTorch's CPU generator, the noise between the steps from seed 5; a fixed
function stands in for the UNet, so that the numbers show the scheduler alone. `sample` and `groups` take any other UNet
as well. Needs diffusers and PyTorch.
"""

import json
import math
import sys

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

BETAS = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PREDICTIONS = ["epsilon", "v_prediction", "sample"]
STEPS = [1, 2, 4, 20]
# None is text-to-image.
STRENGTHS = [None, 0.3, 0.6, 1.0]
GUIDANCE = [1.0, 5.0]
# Values that are kept of each result.
KEPT = 8

DPM = DPMSolverMultistepScheduler
DDIM = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
PNDM = {"skip_prk_steps": True, "steps_offset": 1}
# Class, options, eta: each with every prediction type, number of steps, strength and guidance.
WIDE = [
    (EulerDiscreteScheduler, {"timestep_spacing": "trailing"}, 0),
    (EulerDiscreteScheduler, {"timestep_spacing": "leading", "steps_offset": 1}, 0),
    (EulerAncestralDiscreteScheduler, {"timestep_spacing": "trailing"}, 0),
    (DDIMScheduler, {**DDIM, "timestep_spacing": "leading"}, 0),
    (DDIMScheduler, {**DDIM, "timestep_spacing": "trailing"}, 0),
    (PNDMScheduler, PNDM, 0),
    (LCMScheduler, {}, 0),
    (TCDScheduler, {}, 0),
    (TCDScheduler, {}, 0.3),
    (DPM, {"solver_order": 1}, 0),
    (DPM, {"solver_order": 2}, 0),
    (DPM, {"solver_order": 3}, 0),
    (DPM, {"solver_order": 2, "algorithm_type": "sde-dpmsolver++"}, 0),
]

COSINE = {"beta_schedule": "squaredcos_cap_v2"}
LINEAR = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
ZERO = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
KARRAS = {"use_karras_sigmas": True}
EXPONENTIAL = {"use_exponential_sigmas": True}
# Class, options, eta, arguments of `sample` of each run.
FEW = [{"steps": 3}, {"steps": 4, "strength": 0.6, "guidance": 5.0}, {"steps": 20}, {"steps": 30, "strength": 0.5}]
SHORT = [{"steps": 3}, {"steps": 4, "strength": 0.6}]
THIN = [
    (EulerDiscreteScheduler, {"timestep_spacing": "linspace"}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "linspace", **COSINE}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "trailing", **LINEAR}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "trailing", **KARRAS}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "linspace", **KARRAS, "sigma_min": 0.05, "sigma_max": 10.0}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "trailing", **EXPONENTIAL}, 0, FEW),
    (EulerDiscreteScheduler, {"interpolation_type": "log_linear"}, 0, FEW),
    (EulerDiscreteScheduler, {"final_sigmas_type": "sigma_min"}, 0, FEW),
    (EulerDiscreteScheduler, {**ZERO}, 0, FEW),
    (EulerDiscreteScheduler, {**ZERO, "prediction_type": "v_prediction"}, 0, FEW),
    (EulerDiscreteScheduler, {"timestep_spacing": "trailing", "trained_betas": [0.01] * 500 + [0.02] * 500}, 0, SHORT),
    (EulerDiscreteScheduler, {"num_train_timesteps": 500, "timestep_spacing": "leading"}, 0, FEW),
    (EulerDiscreteScheduler, {}, 0, [{"timesteps": [999, 700, 300, 50]}, {"timesteps": [999, 700, 300], "strength": 0.7}]),
    (EulerAncestralDiscreteScheduler, {"timestep_spacing": "linspace"}, 0, FEW),
    (EulerAncestralDiscreteScheduler, {"timestep_spacing": "leading", "steps_offset": 1, **LINEAR}, 0, FEW),
    (EulerAncestralDiscreteScheduler, {**ZERO, "prediction_type": "v_prediction"}, 0, FEW),
    (DDIMScheduler, {**DDIM, "timestep_spacing": "linspace"}, 0, FEW),
    (DDIMScheduler, {"timestep_spacing": "trailing", "clip_sample_range": 0.5}, 0, FEW),
    (DDIMScheduler, {"clip_sample_range": 0.5, "prediction_type": "v_prediction"}, 0, FEW),
    (DDIMScheduler, {"clip_sample_range": 0.5, "prediction_type": "sample"}, 0.5, FEW),
    (DDIMScheduler, {**DDIM}, 1.0, FEW),
    (DDIMScheduler, {**DDIM, **COSINE}, 0.4, FEW),
    (DDIMScheduler, {"clip_sample": False, **ZERO, "prediction_type": "v_prediction"}, 0, FEW),
    (DDIMScheduler, {"clip_sample": False, **ZERO, "prediction_type": "sample"}, 0, FEW),
    (PNDMScheduler, {**PNDM, "timestep_spacing": "trailing", "set_alpha_to_one": True}, 0, FEW),
    (PNDMScheduler, {**PNDM, "timestep_spacing": "linspace", "prediction_type": "v_prediction", **LINEAR}, 0, FEW),
    (PNDMScheduler, PNDM, 0, [{"steps": 5, "strength": strength} for strength in (0.1, 0.3, 0.5, 0.7, 0.9)]),
    (LCMScheduler, {"original_inference_steps": 100, "timestep_scaling": 8.0}, 0, FEW),
    (LCMScheduler, {"clip_sample": True, "clip_sample_range": 0.5, **LINEAR}, 0, FEW),
    (LCMScheduler, {**ZERO, "prediction_type": "v_prediction"}, 0, FEW),
    (LCMScheduler, {}, 0, [{"timesteps": [999, 759, 499, 259]}, {"timesteps": [999, 499], "strength": 0.5}]),
    (TCDScheduler, {"original_inference_steps": 100, **LINEAR}, 1.0, FEW),
    (TCDScheduler, {**ZERO, "prediction_type": "v_prediction"}, 0.3, FEW),
    (TCDScheduler, {}, 0.3, [{"timesteps": [999, 499, 249]}]),
    (DPM, {"solver_type": "heun"}, 0, FEW),
    (DPM, {"timestep_spacing": "leading", "steps_offset": 1}, 0, FEW),
    (DPM, {"timestep_spacing": "trailing", "solver_order": 3}, 0, FEW),
    (DPM, {"lower_order_final": False, "solver_order": 3, "final_sigmas_type": "sigma_min"}, 0, FEW),
    (DPM, {"lower_order_final": False, "solver_type": "heun", "final_sigmas_type": "sigma_min"}, 0, FEW),
    (DPM, {"euler_at_final": True, "final_sigmas_type": "sigma_min"}, 0, FEW),
    (DPM, {**KARRAS}, 0, FEW),
    (DPM, {**KARRAS, "final_sigmas_type": "sigma_min"}, 0, FEW),
    (DPM, {**EXPONENTIAL}, 0, FEW),
    (DPM, {**COSINE, "lambda_min_clipped": -5.1}, 0, FEW),
    (DPM, {**COSINE, "lambda_min_clipped": -5.1, "timestep_spacing": "trailing"}, 0, SHORT),
    (DPM, {**ZERO, "prediction_type": "v_prediction"}, 0, FEW),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 1}, 0, FEW),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, 0, FEW),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun", **KARRAS}, 0, FEW),
    (DPM, {}, 0, [{"timesteps": [999, 845, 730, 587, 443, 310, 193, 116, 53, 13]}, {"timesteps": [999, 500], "strength": 0.5}]),
    # A batch is one longer latent; guidance is rescaled for each of its samples.
    (EulerAncestralDiscreteScheduler, {"timestep_spacing": "trailing"}, 0, [{"steps": 4, "batch": 2}]),
    (DDIMScheduler, {**DDIM, "prediction_type": "v_prediction"}, 0, [{"steps": 4, "batch": 2, "guidance": 5.0, "rescale": 0.7}]),
]
# Configurations whose timesteps are kept for many numbers of steps.
SPACINGS = [
    (cls, {"timestep_spacing": spacing, "steps_offset": 1})
    for cls in (EulerDiscreteScheduler, DDIMScheduler, DPM)
    for spacing in ("trailing", "leading", "linspace")
] + [(PNDMScheduler, PNDM), (LCMScheduler, {}), (TCDScheduler, {"original_inference_steps": 100})]


def stand_in(sample, timestep, positive):
    """Stands in for the UNet, with another text for the negative prompt."""
    time = 0.1 * float(timestep) / 1000
    return torch.tanh(sample * 0.7 + time) if positive else torch.tanh(sample * 0.6 - time)


def sample(
    scheduler, unet, latent, noise, generator,
    steps=None, timesteps=None, strength=None, guidance=1.0, rescale=0.0, eta=0.0,
):
    """What StableDiffusionPipeline and, with a strength, StableDiffusionImg2ImgPipeline do between the encoders and the
    decoder.

    `unet(sample, timestep, positive)` predicts for the prompt or the negative prompt. Returns the timesteps and the last
    latent, or no latent where the strength leaves no step.
    """
    if timesteps is None:
        scheduler.set_timesteps(steps)
    else:
        scheduler.set_timesteps(timesteps=timesteps)
        steps = len(timesteps)
    timesteps = scheduler.timesteps
    if strength is None:
        x = noise * scheduler.init_noise_sigma
    else:
        begin = steps - min(int(steps * strength), steps)
        timesteps = timesteps[begin:]
        if len(timesteps) == 0:
            return timesteps, None
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        x = scheduler.add_noise(latent, noise, timesteps[:1].repeat(latent.shape[0]))
    extra = {} if isinstance(scheduler, (EulerDiscreteScheduler, PNDMScheduler)) else {"generator": generator}
    if isinstance(scheduler, (DDIMScheduler, TCDScheduler)):
        extra["eta"] = eta
    for timestep in timesteps:
        seen = scheduler.scale_model_input(x, timestep)
        prediction = unet(seen, timestep, True)
        if guidance > 1:
            positive, negative = prediction, unet(seen, timestep, False)
            prediction = negative + guidance * (positive - negative)
            if rescale > 0:
                prediction = rescale_noise_cfg(prediction, positive, guidance_rescale=rescale)
        x = scheduler.step(prediction, timestep, x, return_dict=False, **extra)[0]
    return timesteps, x


def configuration(scheduler):
    """As diffusers writes it, but for −∞, which is no JSON."""
    config = json.loads(scheduler.to_json_string())
    if config.get("lambda_min_clipped") == -math.inf:
        config["lambda_min_clipped"] = None
    return config


def number(value):
    """Seven digits: a hundred times finer than what is asked for."""
    assert math.isfinite(value), value
    return float(f"{value:.7g}")


def result(scheduler, eta, arguments):
    """One run on the latent of the tests: [1, 4, 4, 4], or a batch of them."""
    arguments = dict(arguments)
    shape = [arguments.pop("batch", 1), 4, 4, 4]
    generator = torch.Generator().manual_seed(1)
    latent, noise = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    fresh = torch.Generator().manual_seed(5)
    timesteps, x = sample(scheduler, stand_in, latent, noise, fresh, eta=eta, **arguments)
    kept = None if x is None else [number(float(value)) for value in x.flatten()[-KEPT:]]
    return [float(timestep) for timestep in timesteps], kept


def wide():
    """Groups of runs, each of one configuration: [steps, strength, guidance, result]; the timesteps of text-to-image."""
    for cls, options, eta in WIDE:
        for prediction in PREDICTIONS:
            if cls in (EulerAncestralDiscreteScheduler, PNDMScheduler) and prediction == "sample":
                continue  # diffusers has no such formula
            config = {**BETAS, **options, "prediction_type": prediction}
            runs, timesteps = [], {}
            for steps in STEPS:
                for strength in STRENGTHS:
                    for guidance in GUIDANCE:
                        arguments = {"steps": steps, "strength": strength, "guidance": guidance}
                        scheduler = cls(**config)
                        taken, kept = result(scheduler, eta, arguments)
                        runs.append([steps, strength, guidance, kept])
                        if strength is None:
                            timesteps[steps] = taken
            yield {"config": configuration(scheduler), "eta": eta, "timesteps": timesteps, "runs": runs}


def thin():
    """Single runs: what is special about one configuration."""
    for cls, options, eta, runs in THIN:
        for arguments in runs:
            scheduler = cls(**{**BETAS, **options})
            taken, kept = result(scheduler, eta, arguments)
            taken = [number(timestep) for timestep in taken]
            yield {"config": configuration(scheduler), "eta": eta, **arguments, "taken": taken, "result": kept}


def spacings():
    """Sums of timestep × (place + 1) for 1 to 50 steps."""
    for cls, options in SPACINGS:
        sums = []
        for steps in range(1, 51):
            scheduler = cls(**{**BETAS, **options})
            scheduler.set_timesteps(steps)
            sums.append(number(sum(float(t) * (place + 1) for place, t in enumerate(scheduler.timesteps))))
        yield {"config": configuration(scheduler), "sums": sums}


def main(path):
    parts = {"wide": list(wide()), "thin": list(thin()), "spacings": list(spacings())}
    head = {"note": f"written by models/export/scheduler_fixtures.py, diffusers {diffusers.__version__}"}
    lines = [f'"{key}": [\n' + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]"
             for key, entries in parts.items()]
    with open(path, "w") as file:
        file.write(json.dumps(head)[:-1] + ",\n" + ",\n".join(lines) + "\n}\n")
    runs = sum(len(group["runs"]) for group in parts["wide"]) + len(parts["thin"])
    print(f"{path}: {runs} runs")


if __name__ == "__main__":
    main(sys.argv[1])
