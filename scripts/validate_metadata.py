"""Validates metadata.yaml with the registry's own model (`make validate-metadata`)."""

from __future__ import annotations

from pathlib import Path

import yaml
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import (
    ConnectorMetadataDefinitionV0,
)

text = (Path(__file__).parent.parent / "metadata.yaml").read_text(encoding="utf-8")
told = ConnectorMetadataDefinitionV0.model_validate(yaml.safe_load(text))
print(f"metadata.yaml is valid: {told.data.docker_repository}:{told.data.docker_image_tag}")
