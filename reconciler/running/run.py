"""The parts of one run against one target: what is declared, what the record says, and how the server is read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import __version__
from reconciler.absences import NOBODY, refresh_proved, with_members
from reconciler.beside import both
from reconciler.checkout import Checkout
from reconciler.decoding import Extensions, unasked, undescribed
from reconciler.diffing.findings import members_taken
from reconciler.memory import no_collection
from reconciler.model import (
    AppliedState,
    DesiredState,
    Diagnostic,
    LiveState,
    ResourceType,
    Standing,
    Violation,
)
from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.proving import standings
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.record.repository import GitRepository
from reconciler.recording import LoadedRecord, Record, record_of
from reconciler.settings import Target
from reconciler.sharing import without_shared
from reconciler.transport.client import Reader
from reconciler.transport.discovery import discovered


class Options(Struct, frozen=True, kw_only=True):
    """What a caller asks for. `drift`: also put right what others changed (a person's own run).

    `all_drift`: only show it, also where the target's policy would put it right. `read`: paths of users that are read
    even if no line speaks of them.
    """

    target: str | None = None
    drift: bool = False
    all_drift: bool = False
    accepted: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    today: date | None = None


class Run(Struct, frozen=True, kw_only=True):
    """The parts of one run. `loaded`: the record as it was when the run began."""

    project: Project
    target: Target
    profile: Profile
    desired: DesiredState
    record: Record
    loaded: LoadedRecord
    options: Options
    _checkouts: list[Checkout] = field(default_factory=list)
    _stood: dict[int, dict[tuple[ResourceType, str], Standing]] = field(default_factory=dict)
    _shared: dict[int, DesiredState] = field(default_factory=dict)

    @property
    def repository(self) -> GitRepository | None:
        """The repository whose commits an apply of this target records; an embedded target has none."""
        return None if self.target.embedded else self.project.repository

    @property
    def checkout(self) -> Checkout | None:
        """How the checkout stands to the record, where an apply records a commit. Looked at once."""
        if self.repository is None:
            return None
        if not self._checkouts:
            recorded = self.loaded.applied.commit
            self._checkouts.append(Checkout.of(self.project, self.target, self.repository, recorded))
        return self._checkouts[0]

    def stood(self, live: LiveState) -> dict[tuple[ResourceType, str], Standing] | None:
        """How git shows those for whose account it has to vouch; None where the record is not kept in git.

        Looked up once for each desired state: what a run does itself to an account puts nobody in doubt.
        """
        if self.repository is None:
            return None
        known = self._stood.get(id(self.desired))
        if known is None:
            loaded = self.loaded.applied
            known = standings(self.project, self.target, self.repository, self.desired, loaded, live)
            self._stood[id(self.desired)] = known
        return known

    def wanted(self, live: LiveState) -> DesiredState:
        """What is declared, but for whom another target of the same organisation takes over. Looked up once, too."""
        known = self._shared.get(id(self.desired))
        if known is None:
            loaded, today = self.loaded.applied, self.options.today
            known = without_shared(self.project, self.target, self.desired, loaded, live, today)
            self._shared[id(self.desired)] = known
        return known

    @property
    def commit(self) -> str | None:
        """The commit that an apply of this checkout records."""
        return self.checkout.head if self.checkout else None

    @property
    def extensions(self) -> Extensions:
        """What has to be read beyond what the profile describes."""
        return undescribed(self.desired, self.profile)

    def refresh(self, reader: Reader, also: Mapping[str, ResourceType] = NOBODY) -> LiveState:
        """What the target holds, as far as this run needs it. `also`: whom to read by id if no listing shows them."""
        left_out = unasked(self.desired, self.loaded.applied, self.target.policy, self.profile, self.options.read)
        applied = self.loaded.applied
        live, _ = both(
            lambda: refresh_proved(
                reader, self.profile, applied, extensions=self.extensions, unasked=left_out, also=also
            ),
            # what a plan says of it later is looked up while pages are waited for
            lambda: self.checkout,
        )
        return live

    def proved(self, reader: Reader, live: LiveState, plan: Callable[[LiveState], Reconciliation]) -> Reconciliation:
        """The plan for what is live, once every member whom it takes out and no listing shows has been read by id.

        Whoever is there may be somebody who is declared, so the plan is then made again.
        """
        asked: set[str] = set()
        while True:
            planned = plan(live)
            unlisted = members_taken(planned.plan.changes) - live.resources.keys() - asked
            if not unlisted:
                return planned
            asked |= unlisted
            live = with_members(reader, self.profile, live, unlisted, self.extensions)

    @classmethod
    @no_collection()
    def open(cls, project: Project, options: Options) -> "Run":
        """Read the declarations and the record. InputError where the declarations are wrong."""
        target = project.target(options.target)

        def remembered() -> tuple[Record, LoadedRecord]:
            record = record_of(project, target, __version__)
            return record, record.load()

        # git, and perhaps a remote, is waited for while YAML is read
        (desired, profile), (record, loaded) = both(lambda: project.desired(target, options.today), remembered)
        return cls(
            project=project,
            target=target,
            profile=profile,
            desired=desired,
            record=record,
            loaded=loaded,
            options=options,
        )

    def knowing(self, reader: Reader) -> "Run":
        """The same run by what the service provider says it can do."""
        return replace(self, profile=discovered(reader, self.profile))

    def paced(self, reader: Reader) -> "Run":
        """The same run by the rate of requests that turned out to be allowed."""
        wire, allowed = self.profile.wire, reader.requests_per_minute
        if allowed is None or allowed == wire.requests_per_minute:
            return self
        return replace(self, profile=replace(self.profile, wire=replace(wire, requests_per_minute=allowed)))

    @no_collection()
    def reconcile(
        self,
        live: LiveState,
        applied: AppliedState,
        *,
        violations: Sequence[Violation] = (),
        notices: Sequence[Diagnostic] = (),
    ) -> Reconciliation:
        """The plan for what is live, by what was applied. `violations`, `notices`: what is known before."""
        context = Context(
            target=self.target.name,
            correct_drift=self.options.drift or (self.target.policy.drift_correct and not self.options.all_drift),
            reactivate=self.options.drift,
            violations=tuple(violations),
            accepted=self.options.accepted,
            reviewed=self.project.accepted,
            notices=(*self.loaded.notices, *notices),
            commit=self.commit,
            tool_version=__version__,
            stood=self.stood(live),
        )
        return reconcile(self.wanted(live), live, applied, self.profile, self.target.policy, context)
