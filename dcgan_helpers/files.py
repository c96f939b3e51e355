"""Files and folders that appear whole or not at all."""

import shutil
from contextlib import contextmanager


def temporary_path(path):
    """The name under which `atomic` prepares `path`."""
    return path.with_name(f".writing-{path.name}")


@contextmanager
def atomic(path):
    """A temporary path beside `path` that takes its name when the block ends well.

    Whoever reads `path` finds the old content or the new one, never a part, also when
    the process is killed while it writes. Works for files and folders. Raises OSError.
    """
    temporary = temporary_path(path)
    remove(temporary)
    try:
        yield temporary
        temporary.replace(path)
    except Exception as error:
        remove(temporary)
        raise OSError(f"{path} cannot be written ({error}); nothing was lost") from error
    except BaseException:
        remove(temporary)
        raise


def remove(path):
    """Delete a file or a folder; nothing happens when there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
