"""One component per noun of a space. These files import Pulumi, and are imported by infra.program alone."""
