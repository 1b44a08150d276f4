"""airbyte-cdk's standard tests over acceptance-test-config.yml, at the local Mixpanel."""

from __future__ import annotations

import pytest
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from source_mixpanel.source import SourceMixpanel


@pytest.mark.usefixtures("world")
class TestAirbyteStandards(SourceTestSuiteBase):
    # Advisory problems of the catalog fail too: all warnings are errors here.
    connector = SourceMixpanel
