"""Saving and loading all that a run needs to go on from a step."""

from contextlib import nullcontext

from . import InputError, run_folder
from .files import atomic, remove, temporary_path

EMA_WEIGHTS = "moving_average.safetensors"
POSITION = "position.json"


def load_position(path):
    """Where the checkpoint `path` stands; nothing for no path. Raises InputError."""
    return run_folder.load_json(path / POSITION) if path else {}


def save(trainer, run_dir):
    """Save a Trainer's state, and its networks for sampling; older checkpoints go.

    Raises TrainingError rather than save weights that are not finite.
    """
    accelerator = trainer.accelerator
    weights = [*trainer.generator.parameters(), *trainer.discriminator.parameters()]
    if not all(p.isfinite().all() for p in weights):
        trainer.stop("weights are not finite")
    path = run_folder.checkpoint_path(run_dir, trainer.steps_done)
    main, wait = accelerator.is_main_process, accelerator.wait_for_everyone
    if main:  # first, so that a complete checkpoint means that these are complete too
        raw, judge = map(accelerator.unwrap_model, (trainer.generator, trainer.discriminator))
        run_folder.save_networks(run_dir, trainer.moving_average.module, raw, judge)
    writing = atomic(path) if main else nullcontext(temporary_path(path))
    with writing as temporary:
        wait()
        accelerator.save_state(temporary)
        if main:
            run_folder.save_weights(temporary / EMA_WEIGHTS, trainer.moving_average)
            position = {
                "step": trainer.steps_done,
                "images": len(trainer.images),
                "precision": trainer.precision,
                "seconds": trainer.seconds,
            }
            run_folder.save_json(temporary / POSITION, position)
        wait()
    if main:
        for older in set(path.parent.glob("step-*")) - {path}:
            remove(older)


def load(trainer, path):
    """Bring a Trainer to the state that `save` wrote to `path`. Raises InputError."""
    try:
        trainer.accelerator.load_state(path)
    except Exception as error:  # whatever the readers of damaged files raise
        raise InputError(
            f"the checkpoint {path} is damaged ({str(error).splitlines()[0]}); delete it and "
            "train again with --overwrite"
        ) from error
    run_folder.load_weights(path / EMA_WEIGHTS, trainer.moving_average)
    position = load_position(path)
    trainer.steps_done, trainer.seconds = position["step"], position.get("seconds", 0.0)
