//! Who may come in, where, and with which clients: ONE table of options, read from the command line, the environment and the
//! file `.env`, in this order.
//!
//! | module | holds |
//! |---|---|
//! | `table` | the table: an option beside each key of the page's node |
//! | `kind` | what a value is, and how dora takes it |
//! | `options` | the table as options of the command line |
//! | `idle` | options of Real-Time LCM that mean nothing here |
//! | `file` | the file `.env` |
//! | `places` | where the page and the other listeners are |
//! | `secret` | the access token, in a file of its own |

mod file;
mod idle;
mod kind;
mod options;
mod places;
mod secret;
mod table;

use crate::house::House;
use crate::overrides::{self, Overrides};
use clap::Args;
use eyre::{Result, eyre};
use idle::Idle;
use kind::Kind;
use options::Options;
use std::net::SocketAddr;
use std::path::Path;
use table::{ADDRESS, ROWS, Row};

pub use secret::token;

/// The page, and the clients of other systems.
///
/// Each can also be said in the environment, or in the file .env beside the dataflow file: `WEB_TOKEN=…`.
#[derive(Debug, Clone, Default, Args)]
pub struct Front {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    idle: Idle,
}

/// What people are to be told of who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entrance {
    /// The access token, if one is needed.
    pub token: Option<String>,
    /// HTTPS.
    pub is_safe: bool,
    /// Addresses that lead here from the network, without the token.
    pub links: Vec<String>,
}

impl Front {
    /// Adds what was said to what the nodes are told. Files of the command line are seen from `here`. A token goes into a file
    /// of its own.
    ///
    /// # Errors
    /// A file `.env` that cannot be read or has a key that is none; an address that is none, or that a listener has as well;
    /// the token cannot be kept.
    pub fn add(&self, overrides: &mut Overrides, house: &House, here: &Path) -> Result<Entrance> {
        self.add_with(overrides, house, here, |name| std::env::var(name).ok())
    }

    /// What people are to be told of options that do nothing.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.idle.notice()
    }

    fn add_with(
        &self,
        overrides: &mut Overrides,
        house: &House,
        here: &Path,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Entrance> {
        let file = file::read(&house.root.join(file::NAME))?;
        // What the dataflow file has a place for can be said in .env as well.
        for (key, value) in &file {
            if ROWS.iter().all(|row| row.key != key) && house.value(&Overrides::new(), key).is_some() {
                overrides.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        for row in ROWS {
            let said = self.option(row, here)?.or_else(|| overrides.get(row.key).cloned());
            let said = said.or_else(|| environment(row.key));
            let said = said.map_or_else(|| row.theirs(&environment), |value| Ok(Some(value)))?;
            if let Some(value) = said.or_else(|| file.get(row.key).cloned()) {
                overrides.insert(row.key.to_owned(), row.kind.for_dora(&value));
            }
        }
        self.place(overrides, house, file.get(file::HOST).map(String::as_str))?;
        places::keep_apart(overrides, house)?;
        self.admit(overrides, house)
    }

    /// What the command line says of a key.
    fn option(&self, row: &Row, here: &Path) -> Result<Option<String>> {
        match self.options.get(row.flag) {
            // The two halves are put together afterwards.
            Some(_) if row.kind.is_half() => Ok(None),
            Some(path) if row.kind == Kind::File => overrides::absolute(path, here).map(Some),
            value => Ok(value.map(str::to_owned)),
        }
    }

    /// Puts `--host` and `--port` into the page's address.
    fn place(&self, overrides: &mut Overrides, house: &House, host: Option<&str>) -> Result<()> {
        let (host, port) = (self.options.get("host").or(host), self.options.get("port"));
        if host.is_none() && port.is_none() {
            return Ok(());
        }
        let mut address = places::page(overrides, house)?;
        if let Some(text) = host {
            // What was typed has been looked at; what the file says has not.
            let ip = text.trim().parse();
            address.set_ip(ip.map_err(|_| eyre!("{}: HOST={text} is no address like 127.0.0.1", file::NAME))?);
        }
        if let Some(text) = port {
            address.set_port(text.parse().map_err(|_| eyre!("--port {text} is no port"))?);
        }
        overrides.insert(ADDRESS.to_owned(), address.to_string());
        Ok(())
    }

    /// Sees to the token: what is open to the network has one, unless somebody says that it is to have none.
    fn admit(&self, overrides: &mut Overrides, house: &House) -> Result<Entrance> {
        // Tests and other programs may leave the address out or give it by name: then the node has the last word.
        let Ok(page) = places::page(overrides, house) else { return Ok(Entrance::default()) };
        let listeners = places::listeners(overrides, house, page);
        let is_beyond = listeners.iter().map(|(_, place)| *place).chain([page]).any(|place| !place.ip().is_loopback());
        let is_open = house.value(overrides, "WEB_OPEN").is_some_and(|open| is_on(&open));
        let given = overrides.remove("WEB_TOKEN");
        let is_asked_for = self.options.get("token").is_some();
        let made = match given.filter(|token| !token.is_empty()) {
            Some(token) => Some(token),
            None if is_asked_for || (is_beyond && !is_open && !overrides.contains_key(secret::KEY)) => {
                Some(secret::kept(house)?)
            }
            None => None,
        };
        if let Some(token) = &made {
            secret::keep(house, token)?;
            overrides.insert(secret::KEY.to_owned(), secret::PATH.to_owned());
        }
        // A file of one's own stays as it is: the mirror asks its own page with what is in it.
        let token = made.map_or_else(|| secret::own(house, overrides), |token| Ok(Some(token)))?;
        let tls = house.value(overrides, "WEB_TLS").unwrap_or_default();
        // Files that are given are meant, however TLS was asked for: the node sees it so as well.
        let is_given = |key| house.value(overrides, key).is_some_and(|path| !path.trim().is_empty());
        let is_safe = matches!(tls.trim().to_ascii_lowercase().as_str(), "on" | "self-signed")
            || ["WEB_TLS_CERTIFICATE", "WEB_TLS_KEY"].into_iter().any(is_given);
        let scheme = if is_safe { "https" } else { "http" };
        let ips = if page.ip().is_unspecified() { mirror_kit::addresses::here() } else { vec![page.ip()] };
        let links = ips.into_iter().filter(|ip| !ip.is_loopback());
        let links = links.map(|ip| format!("{scheme}://{}/", SocketAddr::new(ip, page.port()))).collect();
        Ok(Entrance { token, is_safe, links })
    }
}

impl Entrance {
    /// What to type into a browser of another machine, with the token.
    pub fn invitations(&self) -> impl Iterator<Item = String> {
        let token = self.token.as_ref().map_or_else(String::new, |token| format!("?token={token}"));
        self.links.iter().map(move |link| format!("{link}{token}"))
    }
}

fn is_on(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        front: Front,
    }

    fn front(line: &str) -> Front {
        Line::parse_from(std::iter::once("run").chain(line.split_whitespace())).front
    }

    struct Project(tempfile::TempDir);

    impl Project {
        fn new(env: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let graph = "{ env: { WEB_ADDRESS: '127.0.0.1:8080', CAMERA_SOURCE: auto }, nodes: [] }";
            fs::write(folder.path().join("dataflow.yml"), graph).unwrap();
            if !env.is_empty() {
                fs::write(folder.path().join(".env"), env).unwrap();
            }
            Self(folder)
        }

        fn house(&self) -> House {
            House::find(self.0.path(), Path::new("dataflow.yml")).unwrap()
        }

        fn add(&self, line: &str) -> Result<(Overrides, Entrance)> {
            self.add_with(line, &[])
        }

        fn add_with(&self, line: &str, environment: &[(&str, &str)]) -> Result<(Overrides, Entrance)> {
            let environment = |name: &str| {
                let pair = environment.iter().find(|(key, _)| *key == name);
                pair.map(|(_, value)| (*value).to_owned())
            };
            let mut overrides = Overrides::new();
            let entrance = front(line).add_with(&mut overrides, &self.house(), Path::new("/home/me"), environment)?;
            Ok((overrides, entrance))
        }
    }

    #[test]
    fn without_options_the_mirror_is_for_this_machine() {
        let (overrides, entrance) = Project::new("").add("").unwrap();
        assert_eq!((overrides, entrance), (Overrides::new(), Entrance::default()));
    }

    #[test]
    fn options_become_keys_that_dora_takes() {
        let line = "--port 9000 --realtime 7000 --live off --max-queue-size 8 --timeout 30 --pipeline txt2imgLora --jpeg-quality 90 --silence-max 9s --stream garden";
        let (overrides, _) = Project::new("").add(line).unwrap();
        for (key, value) in [
            ("WEB_ADDRESS", "127.0.0.1:9000"),
            ("WEB_REALTIME", ":7000"),
            ("WEB_LIVE", "off"),
            ("WEB_QUEUE_MAX", "8 visitors"),
            ("WEB_SESSION_MAX", "30s"),
            ("WEB_REALTIME_MODE", "text"),
            ("WEB_JPEG_QUALITY", "90 percent"),
            ("WEB_SILENCE_MAX", "9s"),
            ("WEB_STREAM", "garden"),
        ] {
            assert_eq!(overrides[key], value, "{key}");
        }
        assert!(overrides.values().all(|value| value.parse::<f64>().is_err()), "{overrides:?}");
    }

    #[test]
    fn a_certificate_that_is_given_is_the_one_that_is_used() {
        for line in ["--tls --ssl-certfile a.pem --ssl-keyfile /b.pem", "--tls-certificate a.pem --tls-key /b.pem"] {
            let (overrides, entrance) = Project::new("WEB_TLS=self-signed").add(line).unwrap();
            let told = ["WEB_TLS", "WEB_TLS_CERTIFICATE", "WEB_TLS_KEY"].map(|key| overrides[key].as_str());
            assert_eq!(told, ["self-signed", "/home/me/a.pem", "/b.pem"], "{line}");
            assert!(entrance.is_safe);
        }
        let (overrides, entrance) = Project::new("").add("--ssl-certfile a.pem --ssl-keyfile /b.pem").unwrap();
        assert_eq!((overrides.get("WEB_TLS"), entrance.is_safe), (None, true));
        let (overrides, entrance) = Project::new("").add("--tls").unwrap();
        assert_eq!((overrides["WEB_TLS"].as_str(), entrance.is_safe), ("self-signed", true));
    }

    #[test]
    fn a_page_at_the_port_of_a_listener_is_refused_with_the_remedy() {
        let error = |env, line| Project::new(env).add(line).unwrap_err().to_string();
        assert_eq!(
            error("", "--port 7860"),
            "the page and Real-Time LCM's clients cannot both be at port 7860: say --realtime 7861 or --realtime off, or give the page another --port"
        );
        let live = error("", "--port 8000");
        assert!(live.contains("Live Diffusion's clients cannot both be at port 8000: say --live 8002"), "{live}");
        assert!(error("PORT=8080", "").contains("port 8080: say --realtime 8081"));
        assert!(error("", "--host 0.0.0.0 --open --port 7860 --realtime 127.0.0.1:7860").contains("port 7860"));
        for place in ["7861", "off", "127.0.0.2:7860"] {
            let line = format!("--port 7860 --realtime {place}");
            assert_eq!(Project::new("").add(&line).unwrap().0[ADDRESS], "127.0.0.1:7860", "{line}");
        }
    }

    #[test]
    fn what_is_open_to_the_network_has_a_token_that_stays_and_is_in_no_list_of_processes() {
        let project = Project::new("");
        let (overrides, entrance) = project.add("--host 10.1.2.3").unwrap();
        let token = entrance.token.clone().expect("a token");
        assert_eq!(token.len(), 32);
        assert_eq!(overrides["WEB_ADDRESS"], "10.1.2.3:8080");
        assert!(!overrides.values().any(|value| value.contains(&token)), "{overrides:?}");
        assert_eq!(entrance.invitations().collect::<Vec<_>>(), [format!("http://10.1.2.3:8080/?token={token}")]);
        let file = project.0.path().join(&overrides[secret::KEY]);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(project.add("--host 10.1.2.3").unwrap().1.token, Some(token.clone()));
        assert_eq!(super::token(&project.house(), &overrides), Some(token));
        let (overrides, entrance) = project.add("--host 10.1.2.3 --token correct-horse").unwrap();
        assert_eq!((entrance.token.as_deref(), overrides.get("WEB_TOKEN")), (Some("correct-horse"), None));
        assert_eq!(project.add("--host 10.1.2.3 --open").unwrap().1.token, None);
        assert_eq!(project.add("--realtime 10.1.2.3:7860").unwrap().1.token.as_deref(), Some("correct-horse"));
    }

    #[test]
    fn a_token_in_a_file_of_ones_own_stays_there_and_is_what_the_mirror_asks_its_page_with() {
        let project = Project::new("");
        let path = project.0.path().join("secret");
        fs::write(&path, "correct-horse\n").unwrap();
        let line = format!("--host 10.1.2.3 --token-file {}", path.display());
        let (overrides, entrance) = project.add(&line).unwrap();
        assert_eq!(overrides[secret::KEY], path.display().to_string());
        assert_eq!(entrance.token.as_deref(), Some("correct-horse"));
        assert!(!project.0.path().join(secret::PATH).exists());
        let error = project.add("--token-file gone").unwrap_err();
        assert_eq!(error.to_string(), "WEB_TOKEN_FILE=/home/me/gone");
    }

    #[test]
    fn the_file_is_read_and_the_command_line_comes_over_it() {
        let project = Project::new(
            "WEB_LIVE=off\nMAX_QUEUE_SIZE=4\nPORT=7861\nTIMEOUT=60\nCAMERA_SOURCE=pattern\nWEB_JPEG_QUALITY=70\nSAFETY_CHECKER=True\n# a word\n",
        );
        let (overrides, _) = project.add("--live 8100").unwrap();
        for (key, value) in [
            ("WEB_LIVE", ":8100"),
            ("WEB_QUEUE_MAX", "4 visitors"),
            ("WEB_REALTIME", ":7861"),
            ("WEB_SESSION_MAX", "60s"),
            ("WEB_JPEG_QUALITY", "70 percent"),
            ("CAMERA_SOURCE", "pattern"),
        ] {
            assert_eq!(overrides[key], value, "{key}");
        }
        assert!(!overrides.contains_key("SAFETY_CHECKER"));
        let (overrides, entrance) = Project::new("HOST=0.0.0.0").add("").unwrap();
        assert_eq!(overrides["WEB_ADDRESS"], "0.0.0.0:8080");
        assert!(entrance.token.is_some());
    }

    #[test]
    fn real_time_lcms_names_count_in_the_environment_where_nobody_else_has_them() {
        let project = Project::new("WEB_QUEUE_MAX=2\nTIMEOUT=60\n");
        let environment = [("MAX_QUEUE_SIZE", "4"), ("TIMEOUT", "30"), ("HOST", "tower"), ("PORT", "3000")];
        let (overrides, _) = project.add_with("--timeout 10", &environment).unwrap();
        let told = [("WEB_QUEUE_MAX", "4 visitors"), ("WEB_SESSION_MAX", "10s")];
        assert_eq!(overrides, Overrides::from(told.map(|(key, value)| (key.to_owned(), value.to_owned()))));
        let own = [("MAX_QUEUE_SIZE", "4"), ("WEB_QUEUE_MAX", "8"), ("TIMEOUT", "")];
        let (overrides, _) = project.add_with("", &own).unwrap();
        assert_eq!((overrides["WEB_QUEUE_MAX"].as_str(), overrides["WEB_SESSION_MAX"].as_str()), ("8 visitors", "60s"));
        let error = project.add_with("", &[("TIMEOUT", "soon")]).unwrap_err().to_string();
        assert_eq!(error, "TIMEOUT=\"soon\" is not a number of seconds");
    }

    #[test]
    fn real_time_lcms_own_command_line_is_taken_and_what_means_nothing_is_named() {
        let line = "--host 127.0.0.1 --pipeline img2img --safety-checker --taesd --ndi-name lcm --max-queue-size 4";
        let notice = front(line).notice().expect("a notice");
        assert_eq!(notice, "of Real-Time LCM's options these mean nothing here: --safety-checker, --taesd, --ndi-name");
        assert_eq!(Project::new("").add(line).unwrap().0["WEB_QUEUE_MAX"], "4 visitors");
        assert_eq!(front("--tls").notice(), None);
    }

    #[test]
    fn options_that_contradict_each_other_and_values_that_are_none_are_refused() {
        for line in ["--open --token x", "--token-file a --token x", "--port 80000", "--host tower", "--idle-max no"] {
            assert!(Line::try_parse_from(std::iter::once("run").chain(line.split(' '))).is_err(), "{line}");
        }
    }

    #[test]
    fn a_misspelt_key_and_a_broken_file_are_named() {
        let error = Project::new("WEB_TOKENS=x").add("").unwrap_err().to_string();
        assert!(error.contains("WEB_TOKENS is not a setting") && error.contains("there are WEB_ADDRESS, "), "{error}");
        let error = Project::new("HOST=everywhere").add("").unwrap_err().to_string();
        assert!(error.contains("HOST=everywhere"), "{error}");
        assert!(Project::new("WEB LIVE").add("").is_err());
    }
}
