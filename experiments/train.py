"""Train one agent, or a study of many: `python -m experiments.train --help`."""

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from experiments.command import one_line_errors, run_application


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="train")
def main(config: DictConfig) -> str:
    from experiments.cells import cell_name, run_cell
    from experiments.study import as_written, place_in_study

    hydra_config = HydraConfig.get()
    in_study = hydra_config.mode == RunMode.MULTIRUN
    with open_dict(config):
        config.pop("hydra", None)
    if in_study:
        name, processes = place_in_study(config, as_written(hydra_config.overrides.task))
        return run_cell(config, name, in_study, processes)
    return one_line_errors(lambda: run_cell(config, cell_name(config, {}), in_study))()


if __name__ == "__main__":
    run_application(main)
