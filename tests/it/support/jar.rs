//! The cookies of a browser, kept and sent as browsers do: by host, path and scheme, and by the promises of their names.
//!
//! RFC 6265bis §5.1.3, §5.1.4, §5.6, §5.7. Only the end of a cookie is not waited for: stories move the server's clock.

use url::Url;

/// The longest name and value together that is kept, in bytes.
const LONGEST: usize = 4096;

/// A cookie that is kept.
#[derive(Clone, Debug)]
struct Kept {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
}

/// The cookies of a browser that visits one server.
#[derive(Clone, Debug)]
pub(crate) struct Jar {
    host: String,
    is_https: bool,
    cookies: Vec<Kept>,
}

impl Jar {
    /// A jar for visits of the server at `issuer`.
    pub(crate) fn at(issuer: &str) -> Self {
        let url = Url::parse(issuer).expect("an issuer is a URL");
        let host = url.host_str().expect("it has a host").to_owned();
        Self { host, is_https: url.scheme() == "https", cookies: Vec::new() }
    }

    /// The same cookies at another host of the site, where the browser goes over https.
    pub(crate) fn seen_at(&self, host: &str) -> Self {
        Self { host: host.to_owned(), is_https: true, ..self.clone() }
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.cookies.iter().find(|kept| kept.name == name).map(|kept| kept.value.clone())
    }

    /// Names a value that no server has set, where the cookie is kept, or else for the whole host.
    pub(crate) fn put(&mut self, name: &str, value: &str) {
        if let Some(kept) = self.cookies.iter_mut().find(|kept| kept.name == name) {
            value.clone_into(&mut kept.value);
            return;
        }
        let (name, value, path) = (name.to_owned(), value.to_owned(), "/".to_owned());
        self.cookies.push(Kept { name, value, domain: self.host.clone(), host_only: true, path, secure: false });
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.cookies.retain(|kept| kept.name != name);
    }

    /// `Cookie` for a request for `path`, longer paths first.
    pub(crate) fn header(&self, path: &str) -> String {
        let goes = |kept: &&Kept| {
            let to_host =
                if kept.host_only { self.host == kept.domain } else { is_of_domain(&self.host, &kept.domain) };
            to_host && is_below(path, &kept.path) && (self.is_https || !kept.secure)
        };
        let mut sent: Vec<&Kept> = self.cookies.iter().filter(goes).collect();
        sent.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        sent.iter().map(|kept| format!("{}={}", kept.name, kept.value)).collect::<Vec<_>>().join("; ")
    }

    /// Takes a `Set-Cookie`, or does not, as a browser would.
    pub(crate) fn take(&mut self, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a name and a value");
        let (mut domain, mut path, mut secure, mut is_over) = (None, "/".to_owned(), false, false);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "domain" => domain = Some(value.trim_start_matches('.').to_owned()),
                "path" => value.clone_into(&mut path),
                "secure" => secure = true,
                "max-age" => is_over = value.parse::<i64>().expect("a number") <= 0,
                _ => {}
            }
        }
        let is_foreign = domain.as_ref().is_some_and(|domain| !is_of_domain(&self.host, domain));
        let breaks_its_name = (name.starts_with("__Secure-") && !secure)
            || (name.starts_with("__Host-") && !(secure && domain.is_none() && path == "/"));
        if is_foreign || breaks_its_name || (secure && !self.is_https) || name.len() + value.len() > LONGEST {
            return;
        }
        let (host_only, domain) = (domain.is_none(), domain.unwrap_or_else(|| self.host.clone()));
        self.cookies.retain(|kept| !(kept.name == name && kept.domain == domain && kept.path == path));
        if !is_over {
            let (name, value) = (name.to_owned(), value.to_owned());
            self.cookies.push(Kept { name, value, domain, host_only, path, secure });
        }
    }
}

fn is_of_domain(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn is_below(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}
