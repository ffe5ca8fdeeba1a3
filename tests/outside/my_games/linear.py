"""A network without hidden layers: one linear map from the planes to the logits and the value."""

import torch

from agents.network import Network, int_setting


class Linear(Network):
    name = "linear"

    def __init__(self, game, scale: int = 1):
        super().__init__()
        self.settings = {"scale": int_setting(self.name, "scale", scale, 1, 100)}
        planes, height, columns = game.observation_shape
        self.layer = torch.nn.Linear(planes * height * columns, game.num_actions + 1)
        self.forward_flops = 2 * self.layer.weight.numel()
        self.learner_flops = 2 * self.forward_flops  # forward, and the gradient of the weights

    def forward(self, planes):
        answer = self.layer(planes.flatten(1)) * self.settings["scale"]
        return answer[:, :-1], torch.tanh(answer[:, -1])
