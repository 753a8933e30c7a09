//! Repositories that are to be looked through for commits without a result, and what is
//! found there.
//!
//! Level-triggered like the queue: a row says what is wanted, a wish raises it, and who
//! has looked takes it away unless it was raised meanwhile.

use crate::clock::TimestampMs;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;
use crate::store::Ask;
use crate::store::Leave;
use crate::store::Move;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::change;
use crate::store::change::Said;
use crate::store::database::Connection;
use crate::store::database::Hold;
use crate::store::database::given;
use crate::store::database::json;
use crate::store::database::query;
use crate::store::inventory;
use crate::store::moves;

/// How long after a push that changes a policy the pull requests are looked up: several
/// pushes in that time are one look.
const POLICY_SETTLES_MS: i64 = 10_000;

/// A wish to have a repository, or all of an installation, looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyWish {
    /// Of which installation.
    pub installation: InstallationId,
    /// Which repository; `None` looks which ones there are, and then through each.
    pub repository: Option<(RepositoryId, RepositoryName)>,
    /// The default branch is to have a run, so that the check can be required.
    pub first_run: bool,
    /// What has a result is judged again: the policy changed.
    pub again: bool,
    /// Only pull requests to this branch are meant.
    pub base: Option<String>,
}

impl SurveyWish {
    /// The App is new there.
    #[must_use]
    pub fn first(installation: InstallationId) -> SurveyWish {
        SurveyWish { installation, repository: None, first_run: true, again: false, base: None }
    }

    /// The policy of a repository's branch changed; without a branch the organisation's.
    #[must_use]
    pub fn again(place: RepositoryPlace, base: Option<String>) -> SurveyWish {
        let repository = base.is_some().then_some((place.id, place.name));
        SurveyWish { installation: place.installation, repository, first_run: false, again: true, base }
    }
}

/// A leased survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What is wanted.
    pub wish: SurveyWish,
    /// How often it was tried and failed before.
    pub attempts: u32,
    wanted: i64,
    lease: String,
}

impl Survey {
    /// The repository to look through; `None` when it is the installation.
    #[must_use]
    pub fn place(&self) -> Option<RepositoryPlace> {
        let (id, name) = self.wish.repository.clone()?;
        Some(RepositoryPlace { installation: self.wish.installation, id, name })
    }

    fn key(&self) -> (i64, i64) {
        key(&self.wish)
    }
}

fn key(wish: &SurveyWish) -> (i64, i64) {
    let repository = wish.repository.as_ref().map_or(0, |(id, _)| id.0.cast_signed());
    (wish.installation.0.cast_signed(), repository)
}

macro_rules! oldest_due {
    () => {
        "SELECT * FROM surveys WHERE due_ms <= $1 ORDER BY due_ms, installation, repository LIMIT 1"
    };
}

impl Store {
    /// Wants surveys, each from its time on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn want_surveys(&self, wishes: &[(SurveyWish, TimestampMs)]) -> Result<(), StoreError> {
        {
            let mut connection = self.inner.database.connect().await?;
            let mut transaction = connection.begin().await?;
            let mut hold = Hold::default();
            hold.surveys();
            transaction.hold(&hold).await?;
            let wishes: Vec<_> = wishes.iter().map(|(wish, at_ms)| (wish, *at_ms)).collect();
            want(&mut transaction, &wishes).await?;
            transaction.commit().await?;
        }
        self.changed();
        Ok(())
    }

    /// Leases the survey that has been due for longest; `None` when none is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_survey(
        &self,
        now_ms: TimestampMs,
        lease_ms: i64,
    ) -> Result<Option<Survey>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let mut transaction = connection.begin().await?;
        let sql = transaction.say(oldest_due!(), concat!(oldest_due!(), " FOR UPDATE SKIP LOCKED"));
        let row = query(sql).bind(now_ms).fetch_optional(&mut transaction).await?;
        let Some(row) = row else { return Ok(None) };
        let number = |column: &str| row.try_get::<i64, _>(column);
        let repository = match number("repository")? {
            0 => None,
            id => {
                let name = RepositoryName { owner: row.try_get("owner")?, name: row.try_get("name")? };
                Some((RepositoryId(id.cast_unsigned()), name))
            }
        };
        let survey = Survey {
            wish: SurveyWish {
                installation: InstallationId(number("installation")?.cast_unsigned()),
                repository,
                first_run: number("first_run")? != 0,
                again: number("again")? != 0,
                base: Some(row.try_get("base")?).filter(|base: &String| !base.is_empty()),
            },
            attempts: u32::try_from(number("attempts")?).unwrap_or(u32::MAX),
            wanted: number("wanted")?,
            lease: self.inner.lease_tokens.next(),
        };
        let (installation, repository) = survey.key();
        query(
            "UPDATE surveys SET lease = $3, due_ms = $4, attempts = attempts + 1
             WHERE installation = $1 AND repository = $2",
        )
        .bind(installation)
        .bind(repository)
        .bind(&survey.lease)
        .bind(now_ms.saturating_add(lease_ms))
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(survey))
    }

    /// The survey is done, unless it was wished for again meanwhile: then it is due at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_survey(&self, survey: &Survey, now_ms: TimestampMs) -> Result<(), StoreError> {
        let (installation, repository) = survey.key();
        let mut connection = self.inner.database.connect().await?;
        let mut transaction = connection.begin().await?;
        query(
            "DELETE FROM surveys WHERE installation = $1 AND repository = $2 AND lease = $3 AND wanted = $4",
        )
        .bind(installation)
        .bind(repository)
        .bind(&survey.lease)
        .bind(survey.wanted)
        .execute(&mut transaction)
        .await?;
        query(
            "UPDATE surveys SET lease = NULL, attempts = 0, due_ms = $4
             WHERE installation = $1 AND repository = $2 AND lease = $3",
        )
        .bind(installation)
        .bind(repository)
        .bind(&survey.lease)
        .bind(now_ms)
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The survey is to be tried again at `at_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_survey(&self, survey: &Survey, at_ms: TimestampMs) -> Result<(), StoreError> {
        let (installation, repository) = survey.key();
        let mut connection = self.inner.database.connect().await?;
        query(
            "UPDATE surveys SET lease = NULL, due_ms = $4
             WHERE installation = $1 AND repository = $2 AND lease = $3",
        )
        .bind(installation)
        .bind(repository)
        .bind(&survey.lease)
        .bind(at_ms)
        .execute(&mut connection)
        .await?;
        Ok(())
    }

    /// When the next survey is due; `None` when none is wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_survey_ms(&self) -> Result<Option<TimestampMs>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let row = query("SELECT MIN(due_ms) FROM surveys").fetch_one(&mut connection).await?;
        row.try_get(0)
    }

    /// Wants judgements of what a survey found, each from its time on. With `idle`, only of
    /// heads of which none is wanted or under way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn want(&self, asks: &[(Ask, TimestampMs)], idle: bool) -> Result<(), StoreError> {
        {
            let mut connection = self.inner.database.connect().await?;
            let mut transaction = connection.begin().await?;
            let mut hold = Hold::default();
            asks.iter().for_each(|(ask, _)| ask.hold(&mut hold));
            transaction.hold(&hold).await?;
            let busy = match idle {
                true => busy(&mut transaction, asks).await?,
                false => Vec::new(),
            };
            let said = asks
                .iter()
                .filter(|(ask, _)| !busy.contains(&ask.head_key()))
                .map(|(ask, at_ms)| Said { ask, now_ms: *at_ms, event: true });
            // After the news: beside it, an ask for another judgement would be taken for a part of it.
            let (asked_again, news): (Vec<_>, Vec<_>) =
                said.partition(|said| matches!(said.ask, Ask::Rerun(_)));
            change::apply(&mut transaction, &news).await?;
            change::apply(&mut transaction, &asked_again).await?;
            transaction.commit().await?;
        }
        self.changed();
        Ok(())
    }

    /// The repositories of an installation in which a pull request is known to be open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn busy_repositories(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<RepositoryId>, StoreError> {
        let mut connection = self.inner.database.connect().await?;
        let rows = query(
            "SELECT DISTINCT heads.repository FROM heads JOIN pulls
               ON pulls.repository = heads.repository AND pulls.head = heads.head AND pulls.open = 1
             WHERE heads.installation = $1",
        )
        .bind(installation.0.cast_signed())
        .fetch_all(&mut connection)
        .await?;
        rows.iter().map(|row| Ok(RepositoryId(row.try_get::<i64, _>(0)?.cast_unsigned()))).collect()
    }
}

/// Ends the leases of processes that are no more: what they looked through is due at once.
pub(super) async fn void_leases(connection: &mut Connection) -> Result<(), StoreError> {
    query("UPDATE surveys SET lease = NULL, due_ms = 0 WHERE lease IS NOT NULL").execute(connection).await?;
    Ok(())
}

/// Raises or makes the rows of wishes; the earlier time counts.
async fn want(connection: &mut Connection, wishes: &[(&SurveyWish, TimestampMs)]) -> Result<(), StoreError> {
    let mut wishes: Vec<_> = wishes.iter().collect();
    // Of one repository in their order.
    wishes.sort_by_key(|(wish, _)| key(wish));
    for (wish, at_ms) in wishes {
        let (installation, repository) = key(wish);
        let none = RepositoryName { owner: String::new(), name: String::new() };
        let name = wish.repository.as_ref().map_or(&none, |(_, name)| name);
        query(
            "INSERT INTO surveys (installation, repository, owner, name, first_run, again, due_ms, base)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (installation, repository) DO UPDATE SET
               owner = excluded.owner, name = excluded.name, wanted = surveys.wanted + 1,
               first_run = CASE WHEN excluded.first_run > 0 THEN 1 ELSE surveys.first_run END,
               again = CASE WHEN excluded.again > 0 THEN 1 ELSE surveys.again END,
               base = CASE WHEN excluded.base = surveys.base THEN surveys.base ELSE '' END,
               due_ms = CASE WHEN surveys.lease IS NULL AND surveys.due_ms > excluded.due_ms
                             THEN excluded.due_ms ELSE surveys.due_ms END",
        )
        .bind(installation)
        .bind(repository)
        .bind(&name.owner)
        .bind(&name.name)
        .bind(i64::from(wish.first_run))
        .bind(i64::from(wish.again))
        .bind(*at_ms)
        .bind(Some(wish.base.as_deref().unwrap_or_default()))
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Does what was said of installations and policies, as if in its order: a wish from before its
/// repository was left is none. What changes a policy waits a little, so that several pushes are one look.
pub(super) async fn apply(connection: &mut Connection, said: &[Said<'_>]) -> Result<(), StoreError> {
    let mut wanted: Vec<(&SurveyWish, TimestampMs)> = Vec::new();
    for Said { ask, now_ms, .. } in said {
        let at_ms = |wish: &SurveyWish| now_ms + if wish.again { POLICY_SETTLES_MS } else { 0 };
        match ask {
            Ask::Survey(wishes) => wanted.extend(wishes.iter().map(|wish| (wish, at_ms(wish)))),
            Ask::Move(Move { place, wishes }) => {
                moves::follow(connection, place).await?;
                wanted.extend(wishes.iter().map(|wish| (wish, at_ms(wish))));
            }
            Ask::Leave(left) => {
                wanted.retain(|(wish, _)| !left.covers(wish));
                leave(connection, left).await?;
            }
            Ask::Pull(_) | Ask::Tip(_) | Ask::Rerun(_) => {}
        }
    }
    want(connection, &wanted).await
}

macro_rules! end_left {
    ($held:literal) => {
        concat!(
            "UPDATE heads SET due_ms = NULL, lease = NULL, leased_generation = NULL, raised_since_ms = NULL,
               attempts = 0, done = wanted, announce = 0
             WHERE (repository, head) IN
               (SELECT repository, head FROM heads WHERE installation = $2 AND due_ms IS NOT NULL
                  AND ($3 > 0 OR repository IN (SELECT repository FROM ",
            given!(0 "repository" BIGINT),
            "))",
            $held,
            ")"
        )
    };
}

/// Nothing is worked on any more: of the whole installation, or of some repositories. A judgement that
/// somebody is about to claim or end is passed over: GitHub refuses what it asks for, which ends it.
async fn leave(connection: &mut Connection, left: &Leave) -> Result<(), StoreError> {
    let keys: Option<Vec<(i64,)>> =
        left.repositories.as_ref().map(|ids| ids.iter().map(|id| (id.0.cast_signed(),)).collect());
    // Bound as JSON whether it is used or not, so that both forms have the same parameters.
    let rows = json(keys.as_deref().unwrap_or_default());
    let all = i64::from(keys.is_none());
    let end = connection.say(end_left!(""), end_left!(" FOR UPDATE SKIP LOCKED"));
    let forget = concat!(
        "DELETE FROM surveys WHERE installation = $2
           AND ($3 > 0 OR repository IN (SELECT repository FROM ",
        given!(0 "repository" BIGINT),
        "))"
    );
    for sql in [end, forget] {
        query(sql).bind(&rows).bind(left.installation.0.cast_signed()).bind(all).execute(connection).await?;
    }
    inventory::leave(connection, left).await
}

/// The heads among these of which a judgement is wanted or under way.
async fn busy(
    connection: &mut Connection,
    asks: &[(Ask, TimestampMs)],
) -> Result<Vec<(i64, String)>, StoreError> {
    let keys: Vec<(i64, String)> = asks.iter().map(|(ask, _)| ask.head_key()).collect();
    let rows = query(concat!(
        "SELECT heads.repository, heads.head FROM ",
        given!(0 "repository" BIGINT, 1 "head" TEXT),
        " JOIN heads ON heads.repository = given.repository AND heads.head = given.head
          WHERE heads.due_ms IS NOT NULL"
    ))
    .bind(json(&keys))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
