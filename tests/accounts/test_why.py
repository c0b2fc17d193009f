"""One pure function decides who may see a case, and says why."""

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.accounts.rules import CaseFacts, Viewer, initials, why

A, Q, D, X = (f"0000000{n}-0000-4000-8000-000000000000" for n in range(4))
FACTS = CaseFacts(force="99", owner_actor=A, owner_queue_members=frozenset({Q}), duty_holders=frozenset({D}))
roles = st.frozensets(
    st.tuples(
        st.sampled_from(["officer", "inspector", "prosecutor", "administrator"]),
        st.sampled_from(["99", "98", ""]),
    )
)
viewers = st.builds(
    Viewer,
    id=st.sampled_from([A, Q, D, X, "public", "clock", ""]),
    roles=roles,
    second_factor=st.booleans(),
)


def officer(who: str, force: str = "99") -> Viewer:
    return Viewer(id=who, roles=frozenset({("officer", force)}))


def test_the_owner_the_queue_and_the_holder_of_a_duty_see_it_and_are_told_why() -> None:
    assert why(officer(A), FACTS).reasons == ("You own this case.",)
    assert why(officer(Q), FACTS).reasons == ("You are posted to the queue that owns this case.",)
    assert why(officer(D), FACTS).reasons == ("You hold a duty on this case.",)


def test_an_inspector_of_the_force_sees_it_and_one_of_another_force_does_not() -> None:
    assert why(Viewer(id=X, roles=frozenset({("inspector", "99")})), FACTS).allowed
    assert not why(Viewer(id=X, roles=frozenset({("inspector", "98")})), FACTS).allowed


@given(viewers)
def test_nobody_sees_a_case_without_a_role_in_its_force(viewer: Viewer) -> None:
    verdict = why(viewer, FACTS)
    here = viewer.has("officer", "99") or viewer.has("inspector", "99")
    assert not verdict.allowed or (here and viewer.signed_in)
    assert verdict.reasons


@given(viewers)
def test_prosecutors_and_administrators_see_no_case_by_that_role(viewer: Viewer) -> None:
    fewer = Viewer(
        id=viewer.id,
        roles=frozenset(r for r in viewer.roles if r[0] in ("officer", "inspector")),
        second_factor=viewer.second_factor,
    )
    assert why(viewer, FACTS) == why(fewer, FACTS)


def test_initials_are_two_capital_letters_of_the_name() -> None:
    assert [initials(n) for n in ("Alice Bevan", "Ann-Marie van der Stok", "Madonna", "Łukasz Żak", "")] == [
        "AB",
        "AS",
        "MM",
        "XX",
        "XX",
    ]
