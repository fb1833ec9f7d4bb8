"""Writes what diffusers' schedulers do, for the tests of crates/diffusion.

    python models/export/scheduler_fixtures.py crates/diffusion/tests/fixtures/schedulers.json

A latent and its noise come from seed 1 of PyTorch's CPU generator; a fixed function stands in for the UNet, so that
the numbers show the scheduler alone. Needs diffusers and PyTorch.
"""

import json
import sys

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler

BASE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SCHEDULERS = [
    (EulerDiscreteScheduler, {}, ["trailing", "leading"]),
    (DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": True}, ["trailing", "leading"]),
    (LCMScheduler, {}, [None]),
]


def unet(sample, timestep):
    """Stands in for the UNet."""
    return torch.tanh(sample * 0.7 + 0.1 * float(timestep) / 1000)


def case(scheduler, steps):
    """One image-to-image run at strength 1."""
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(1)
    latent = torch.randn(1, 4, 4, 4, generator=generator)
    noise = torch.randn(1, 4, 4, 4, generator=generator)
    sample = scheduler.add_noise(latent, noise, scheduler.timesteps[:1])
    fresh = torch.Generator().manual_seed(5)
    extra = {"generator": fresh} if isinstance(scheduler, LCMScheduler) else {}
    for timestep in scheduler.timesteps:
        output = unet(scheduler.scale_model_input(sample, timestep), timestep)
        sample = scheduler.step(output, timestep, sample, return_dict=False, **extra)[0]
    return {
        "config": json.loads(scheduler.to_json_string()),
        "steps": steps,
        "timesteps": [float(timestep) for timestep in scheduler.timesteps],
        "result": [round(float(value), 6) for value in sample.flatten()[:8]],
    }


def main(path):
    cases = []
    for scheduler, options, spacings in SCHEDULERS:
        for prediction in ["epsilon", "v_prediction", "sample"]:
            for spacing in spacings:
                config = {**BASE, **options, "prediction_type": prediction, "steps_offset": 1}
                if spacing:
                    config["timestep_spacing"] = spacing
                cases += [case(scheduler(**config), steps) for steps in (1, 2, 4)]
    with open(path, "w") as file:
        json.dump({"note": "written by models/export/scheduler_fixtures.py", "cases": cases}, file, indent=1)
        file.write("\n")
    print(f"{path}: {len(cases)} cases")


if __name__ == "__main__":
    main(sys.argv[1])
