//! Pages and the `Link` header that leads through them.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>

use super::Call;

const DEFAULT_PER_PAGE: usize = 30;
const PER_PAGE_LIMIT: usize = 100;

/// One page of a list.
pub(super) struct Page<'a, T> {
    pub(super) items: &'a [T],
    pub(super) link: Option<String>,
}

/// The page that the request asks for.
pub(super) fn page<'a, T>(call: &Call<'_>, items: &'a [T]) -> Page<'a, T> {
    let number = |name: &str| call.request.query(name).and_then(|text| text.parse::<usize>().ok());
    let per_page = number("per_page")
        .filter(|asked| *asked > 0)
        .map_or(DEFAULT_PER_PAGE, |asked| asked.min(PER_PAGE_LIMIT));
    let page = number("page").filter(|asked| *asked > 0).unwrap_or(1);
    let last = items.len().div_ceil(per_page).max(1);
    let from = (page - 1).saturating_mul(per_page).min(items.len());
    let to = from.saturating_add(per_page).min(items.len());

    let mut links = Vec::new();
    if page > 1 {
        links.push(address(call, (page - 1).min(last), "prev"));
    }
    if page < last {
        links.push(address(call, page + 1, "next"));
        links.push(address(call, last, "last"));
    }
    if page > 1 {
        links.push(address(call, 1, "first"));
    }
    Page { items: &items[from..to], link: (!links.is_empty()).then(|| links.join(", ")) }
}

fn address(call: &Call<'_>, page: usize, relation: &str) -> String {
    let mut query: Vec<String> = call
        .request
        .query
        .iter()
        .filter(|(name, _)| name != "page")
        .map(|(name, value)| {
            format!("{name}={}", crate::standin::shape::encode_path(value).replace('/', "%2F"))
        })
        .collect();
    query.push(format!("page={page}"));
    format!("<{}{}?{}>; rel=\"{relation}\"", call.shapes.base_url, call.request.path, query.join("&"))
}
