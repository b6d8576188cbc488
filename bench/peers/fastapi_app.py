"""Policies by FastAPI and SQLAlchemy's asyncio, with asyncpg: models, eager loading, pydantic for the answer.

DATABASE_URL says which database. STATUS_SQL and IN_FORCE_SQL name files with the rules of status, which are long, in
SQL; `%(on)s` stands in them for the day.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import ForeignKey, exists, func, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

ROOT = "http://localhost:8000/api/v1"
PAGE_SIZE = 50
STATUS = Path(os.environ["STATUS_SQL"]).read_text().replace("%(on)s", "CAST(:on AS date)")
IN_FORCE = Path(os.environ["IN_FORCE_SQL"]).read_text().replace("%(on)s", "CAST(:on AS date)")

database = urlsplit(os.environ["DATABASE_URL"])
engine = create_async_engine(
    # The host is the folder of a socket, which SQLAlchemy takes as a parameter.
    f"postgresql+asyncpg://{database.username}@{database.path}?host={unquote(database.netloc.rpartition('@')[2])}",
    pool_size=8,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(openapi_url=None)


class Base(DeclarativeBase):
    pass


class Jurisdiction(Base):
    __tablename__ = "regulations_jurisdiction"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]


class Regulator(Base):
    __tablename__ = "regulations_regulator"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]


class Topic(Base):
    __tablename__ = "regulations_topic"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]


class PolicyTopic(Base):
    __tablename__ = "regulations_policy_topics"
    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("regulations_policy.id"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("regulations_topic.id"))


class PolicyRegulator(Base):
    __tablename__ = "regulations_policyregulator"
    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("regulations_policy.id"))
    regulator_id: Mapped[int] = mapped_column(ForeignKey("regulations_regulator.id"))
    role: Mapped[str]
    regulator: Mapped[Regulator] = relationship()


class Policy(Base):
    __tablename__ = "regulations_policy"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    title: Mapped[str]
    abbreviation: Mapped[str]
    kind: Mapped[str]
    jurisdiction_id: Mapped[int] = mapped_column(ForeignKey("regulations_jurisdiction.id"))
    reference: Mapped[str]
    official_url: Mapped[str]
    summary: Mapped[str]
    introduced_on: Mapped[date | None]
    effective_from: Mapped[date | None]
    effective_until: Mapped[date | None]
    jurisdiction: Mapped[Jurisdiction] = relationship()
    regulators: Mapped[list[PolicyRegulator]] = relationship()
    topics: Mapped[list[Topic]] = relationship(secondary=PolicyTopic.__table__, order_by=Topic.slug)


class CodeOut(BaseModel):
    code: str
    label: str


class JurisdictionOut(BaseModel):
    code: str
    name: str
    url: str


class RefOut(BaseModel):
    slug: str
    name: str
    url: str


class BodyOut(RefOut):
    role: CodeOut


class PolicyOut(BaseModel):
    slug: str
    title: str
    abbreviation: str | None
    kind: CodeOut
    status: CodeOut
    jurisdiction: JurisdictionOut
    regulators: list[BodyOut]
    topics: list[RefOut]
    reference: str | None
    official_url: str | None
    introduced_on: date | None
    effective_from: date | None
    effective_until: date | None
    summary: str | None
    url: str


class PageOut(BaseModel):
    count: int
    next: str | None
    previous: str | None
    on: date
    known_at: None
    results: list[PolicyOut]


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.get("/api/v1/policies/")
async def policies(
    request: Request,
    jurisdiction: str = "",
    topic: str = "",
    status: str = "",
    on: date | None = None,
    page: int = 1,
) -> PageOut:
    day = on or date.today()
    async with sessions() as session:
        conditions: list[Any] = []
        if jurisdiction:
            conditions.append(
                Policy.jurisdiction_id == await _id(session, Jurisdiction, Jurisdiction.code, jurisdiction)
            )
        if topic:
            topic_id = await _id(session, Topic, Topic.slug, topic)
            conditions.append(exists().where(PolicyTopic.policy_id == Policy.id, PolicyTopic.topic_id == topic_id))
        if status:
            conditions.append(text(IN_FORCE))
        count = await session.scalar(select(func.count()).select_from(Policy).where(*conditions), {"on": day})
        first = (page - 1) * PAGE_SIZE
        status_on = text(f"({STATUS}) AS status")
        found = (
            select(Policy, status_on)
            .where(*conditions)
            .order_by(Policy.introduced_on.desc().nulls_last(), Policy.slug)
            .offset(first)
            .limit(PAGE_SIZE)
            .options(
                joinedload(Policy.jurisdiction),
                selectinload(Policy.regulators).joinedload(PolicyRegulator.regulator),
                selectinload(Policy.topics),
            )
        )
        rows = (await session.execute(found, {"on": day})).all()
    query = urlencode({**request.query_params, "page": page + 1})
    following = f"{ROOT}/policies/?{query}" if count > first + PAGE_SIZE else None
    return PageOut(
        count=count,
        next=following,
        previous=None,
        on=day,
        known_at=None,
        results=[_policy(policy, status) for policy, status in rows],
    )


async def _id(session: Any, model: Any, column: Any, key: str) -> int:
    found = await session.scalar(select(model.id).where(column == key))
    if found is None:
        raise HTTPException(404)
    return found


def _policy(policy: Policy, status: str) -> PolicyOut:
    place = policy.jurisdiction
    bodies = sorted(policy.regulators, key=lambda link: (link.role, link.regulator.slug))
    return PolicyOut(
        slug=policy.slug,
        title=policy.title,
        abbreviation=policy.abbreviation or None,
        kind=_code(policy.kind),
        status=_code(status),
        jurisdiction=JurisdictionOut(code=place.code, name=place.name, url=f"{ROOT}/jurisdictions/{place.code}/"),
        regulators=[BodyOut(**_ref("regulators", link.regulator), role=_code(link.role)) for link in bodies],
        topics=[RefOut(**_ref("topics", topic)) for topic in policy.topics],
        reference=policy.reference or None,
        official_url=policy.official_url or None,
        introduced_on=policy.introduced_on,
        effective_from=policy.effective_from,
        effective_until=policy.effective_until,
        summary=policy.summary or None,
        url=f"{ROOT}/policies/{policy.slug}/",
    )


def _ref(collection: str, row: Any) -> dict[str, str]:
    return {"slug": row.slug, "name": row.name, "url": f"{ROOT}/{collection}/{row.slug}/"}


def _code(word: str) -> CodeOut:
    # The labels are the words, capitalised, in all but a few cases that the world does not have.
    return CodeOut(code=word, label=word.replace("_", " ").capitalize())
