//! The listeners of other systems' clients: whether their ports can be had.

use super::Finding;
use super::subject::Subject;
use crate::page::Page;
use eyre::Result;
use mirror_kit::start::one_line;
use mirror_kit::{Environment, Key};
use std::net::{SocketAddr, TcpListener};
use web::config::KEYS;
use web::front::Front;
use web::front::keys::{DREAM, LIVE, REALTIME, TOKEN_FILE};

/// Looks at all of them, if the graph has a page: it is the page's node that listens.
pub fn look(subject: &Subject) -> Vec<Finding> {
    let Some((_, said)) = subject.told("web", "WEB_ADDRESS").into_iter().next() else { return Vec::new() };
    // An address that is none is the page's fault, and is said there.
    let Ok(address) = said.as_deref().unwrap_or("127.0.0.1:8080").parse() else { return Vec::new() };
    let Front { realtime, live, dream, .. } = match front(subject, address) {
        Ok(front) => front,
        Err(error) => return vec![Finding::fault("clients", one_line(&error))],
    };
    let page = Page::of_house(&subject.house, &subject.overrides).ok().filter(Page::answers);
    let listeners =
        [("Real-Time LCM", REALTIME, realtime), ("Live Diffusion", LIVE, live), ("DreamStream", DREAM, dream)];
    let finding = |(name, key, at): (&str, Key, Option<SocketAddr>)| match at {
        Some(at) => listener(name, key.name, at, page.as_ref()),
        None => Finding::fine("clients", format!("{name}: off, as {} says", key.name)),
    };
    listeners.map(finding).to_vec()
}

/// What the page's node makes of all that it is told.
fn front(subject: &Subject, page: SocketAddr) -> Result<Front> {
    let told = |key: &str| subject.told("web", key).into_iter().next().and_then(|(_, said)| said);
    let pairs = KEYS.iter().filter_map(|key| {
        let said = told(key.name)?;
        // It is read in the project's root, and this program may be started elsewhere.
        let is_file = key.name == TOKEN_FILE.name && !said.trim().is_empty();
        let said = if is_file { subject.house.root.join(said.trim()).to_string_lossy().into_owned() } else { said };
        Some((key.name.to_owned(), said))
    });
    Front::of(&Environment::of(KEYS, pairs)?, page)
}

/// Whether the listener can be had there, or is there already: `page` is the page of a mirror that answers.
fn listener(name: &str, key: &str, at: SocketAddr, page: Option<&Page>) -> Finding {
    let Err(error) = TcpListener::bind(at) else { return Finding::fine("clients", format!("{name} at {at}")) };
    if let Some(page) = page
        && Page::at(at).with(page.token().map(str::to_owned)).greeting().contains(name)
    {
        return Finding::fine("clients", format!("{name} at {at}: the mirror answers there"));
    }
    let other = at.port().checked_add(100).unwrap_or(7960);
    let remedy =
        format!("stop the program that has it, move the listener ({key}=:{other}) or switch it off ({key}=off)");
    Finding::missing("clients", format!("{name}: {at} cannot be had ({error}), and its clients find nobody: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::subject::tests::subject;
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::thread;

    #[test]
    fn a_port_that_another_program_has_is_said_with_the_key_that_moves_it() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let graph = format!(
            "
env: {{ WEB_ADDRESS: '127.0.0.1:0', WEB_REALTIME: ':{port}', WEB_LIVE: 'off', WEB_DREAM: '127.0.0.1:0' }}
nodes:
  - {{ id: web, path: target/release/web }}
"
        );
        let (_folder, subject) = subject(&graph);
        let findings = look(&subject);
        let states: Vec<State> = findings.iter().map(|finding| finding.state).collect();
        assert_eq!(states, [State::Missing, State::Fine, State::Fine], "{findings:?}");
        let text = &findings[0].text;
        assert!(
            text.contains(&format!("127.0.0.1:{port} cannot be had")) && text.contains("WEB_REALTIME=off"),
            "{text}"
        );
        assert_eq!(findings[1].text, "Live Diffusion: off, as WEB_LIVE says");
    }

    #[test]
    fn what_the_pages_node_cannot_use_is_a_fault_in_its_own_words() {
        let (_folder, subject) =
            subject("{ env: { WEB_DREAM: here }, nodes: [{ id: web, path: target/release/web }] }");
        let findings = look(&subject);
        assert!(findings.len() == 1 && findings[0].state == State::Fault, "{findings:?}");
        assert!(findings[0].text.starts_with("WEB_DREAM=\"here\" is neither a port like 8001"), "{findings:?}");
    }

    #[test]
    fn a_port_that_the_mirror_has_itself_is_fine() {
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = own.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = own.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let body = r#"{"message": "A mirror that speaks DreamStream's protocol"}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            // The listener lives until it has been asked whether it can be had.
            drop(own);
        });
        let finding = listener("DreamStream", "WEB_DREAM", at, Some(&Page::at(at)));
        assert_eq!(finding, Finding::fine("clients", format!("DreamStream at {at}: the mirror answers there")));
    }

    #[test]
    fn a_graph_without_a_page_has_no_listeners() {
        let (_folder, subject) = subject("nodes: [{ id: camera, path: target/release/camera }]");
        assert!(look(&subject).is_empty());
    }
}
