//! What the nodes are told to see, to hear and to compute on, and whether that is there.

use super::devices::opens;
use super::subject::Subject;
use super::{Finding, State};
use mirror_inference::{Choice, Model, Options, Provider};
use mirror_kit::start::one_line;
use mirror_models::Part;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

/// What `CAMERA_SOURCE` can be: nodes/camera/README.md.
const CAMERA: &str =
    "name a camera (0, /dev/video2), a film, a picture, a folder of pictures, rtsp://…, http://…, pattern or auto";
/// What `MICROPHONE_SOURCE` can be: nodes/microphone/README.md.
const MICROPHONE: &str = "name a microphone, a .wav file, a folder of them, default, auto or none";
/// What `auto` shows without a camera, unless `CAMERA_CLIP` says otherwise.
const CLIP: &str = "assets/clip.mp4";

/// Schemes of the network's cameras, and where they listen if the address does not say (IANA's register of ports). With those
/// of port 0 nobody can tell whether they answer: what is sent there is waited for.
const SCHEMES: [(&str, u16); 8] =
    [("rtsp", 554), ("rtsps", 322), ("rtmp", 1935), ("http", 80), ("https", 443), ("udp", 0), ("tcp", 0), ("srt", 0)];
/// How long a camera of the network may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at all of it. `hears`: something records on this machine.
pub fn look(subject: &Subject, hears: bool) -> Vec<Finding> {
    let root = &subject.house.root;
    let clip = subject.house.value(&subject.overrides, "CAMERA_CLIP").unwrap_or_else(|| CLIP.to_owned());
    let cameras = each(subject, "camera", "CAMERA_SOURCE", |told| camera(root, &clip, told));
    let microphones = each(subject, "microphone", "MICROPHONE_SOURCE", |told| microphone(root, hears, told));
    [cameras, microphones, provider(subject).into_iter().collect()].concat()
}

/// What every node of that program is told of a key, looked at.
fn each(subject: &Subject, program: &'static str, key: &str, look: impl Fn(&str) -> (State, String)) -> Vec<Finding> {
    let told = subject.told(program, key).into_iter();
    let findings = told.map(|(node, told)| {
        let (state, text) = look(told.as_deref().unwrap_or("auto").trim());
        Finding { state, about: program, text: if node == program { text } else { format!("{node}: {text}") } }
    });
    findings.collect()
}

fn camera(root: &Path, clip: &str, told: &str) -> (State, String) {
    if told.is_empty() {
        return (State::Fault, format!("CAMERA_SOURCE is empty: {CAMERA}"));
    }
    if told.eq_ignore_ascii_case("pattern") {
        return (State::Fine, "CAMERA_SOURCE=pattern: the test picture".to_owned());
    }
    if told.eq_ignore_ascii_case("auto") {
        return if root.join(clip).exists() {
            (State::Fine, format!("CAMERA_SOURCE=auto: the first camera that works, else {clip}"))
        } else {
            (
                State::Missing,
                format!("CAMERA_SOURCE=auto: {clip} is not there for when no camera works: CAMERA_CLIP=film.mp4"),
            )
        };
    }
    if told.bytes().all(|byte| byte.is_ascii_digit()) {
        return device(&format!("/dev/video{told}"));
    }
    if told.starts_with("/dev/") {
        return device(told);
    }
    match told.split_once("://") {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") => file(root, "CAMERA_SOURCE", path, CAMERA),
        Some((scheme, rest)) => address(&scheme.to_ascii_lowercase(), rest),
        None => file(root, "CAMERA_SOURCE", told, CAMERA),
    }
}

fn device(path: &str) -> (State, String) {
    let fault = match opens(Path::new(path)) {
        Ok(()) => return (State::Fine, format!("CAMERA_SOURCE={path}")),
        Err(ErrorKind::NotFound) => format!("there is no such camera: plug it in, or {CAMERA}"),
        Err(ErrorKind::PermissionDenied) => {
            "it may not be opened: sudo usermod -aG video $USER, then log in again".to_owned()
        }
        Err(ErrorKind::ResourceBusy) => "another program has it: close that one".to_owned(),
        Err(kind) => format!("it cannot be opened ({kind}): unplug it and plug it in again"),
    };
    (State::Fault, format!("CAMERA_SOURCE={path}: {fault}"))
}

fn file(root: &Path, key: &str, path: &str, kinds: &str) -> (State, String) {
    // The nodes are started in the project's root.
    if root.join(path).exists() {
        (State::Fine, format!("{key}={path}"))
    } else {
        (State::Fault, format!("{key}={path} is not there: {kinds}"))
    }
}

/// A camera of the network. Who and with which password is not said.
fn address(scheme: &str, rest: &str) -> (State, String) {
    let Some((_, usual)) = SCHEMES.into_iter().find(|(known, _)| *known == scheme) else {
        return (State::Fault, format!("CAMERA_SOURCE={scheme}://… is no stream that can be read: {CAMERA}"));
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        // The colons of [::1] are its own.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (place, Some(usual)),
    };
    let Some(port) = port.filter(|_| !host.is_empty()) else {
        return (State::Fault, format!("CAMERA_SOURCE={scheme}://{place} names no machine: {CAMERA}"));
    };
    if usual == 0 {
        return (State::Fine, format!("CAMERA_SOURCE={scheme}://{place}: what is sent there is waited for"));
    }
    let fault = match (host.trim_matches(['[', ']']), port).to_socket_addrs() {
        Ok(mut places) => {
            if places.any(|place| TcpStream::connect_timeout(&place, PATIENCE).is_ok()) {
                return (State::Fine, format!("CAMERA_SOURCE={scheme}://{place}: it answers"));
            }
            "does not answer".to_owned()
        }
        Err(error) => format!("cannot be found ({error})"),
    };
    let remedy = "switch the camera on, see that this machine reaches its network, or";
    (State::Fault, format!("CAMERA_SOURCE={scheme}://{place} {fault}: {remedy} {CAMERA}"))
}

fn microphone(root: &Path, hears: bool, told: &str) -> (State, String) {
    let lower = told.to_lowercase();
    match lower.as_str() {
        "" => (State::Fault, format!("MICROPHONE_SOURCE is empty: {MICROPHONE}")),
        "auto" => (State::Fine, "MICROPHONE_SOURCE=auto: the first microphone that works, else none".to_owned()),
        "none" => (State::Fine, "MICROPHONE_SOURCE=none: nothing is listened to".to_owned()),
        _ if told.contains('/') || lower.ends_with(".wav") || lower.ends_with(".wave") => {
            file(root, "MICROPHONE_SOURCE", told, MICROPHONE)
        }
        _ if hears => (State::Fine, format!("MICROPHONE_SOURCE={told}: it is looked for when the mirror starts")),
        _ => {
            (State::Fault, format!("MICROPHONE_SOURCE={told}, and nothing records here: plug one in, or {MICROPHONE}"))
        }
    }
}

/// What runs the models, tried with one of them. `None`: there is no pack or no runtime to try it with, which is said elsewhere.
fn provider(subject: &Subject) -> Option<Finding> {
    let Subject { house, overrides, .. } = subject;
    let told = house.value(overrides, "MIRROR_PROVIDER").unwrap_or_else(|| "auto".to_owned());
    let Ok(provider) = told.trim().parse::<Choice>() else {
        let text = format!("MIRROR_PROVIDER=\"{told}\" is not {}: correct it", Choice::EXPECTED);
        return Some(Finding::fault("provider", text));
    };
    let (pack, runtime) = (house.pack(overrides).ok()?, house.runtime().ok()?);
    if provider == Choice::Only(Provider::TensorRt) {
        let text = "TensorRT, as MIRROR_PROVIDER says; not tried here: it builds its engines first, for minutes";
        return Some(Finding::fine("provider", text));
    }
    let options = Options { provider, ..Options::default() };
    Some(match Model::open(&runtime, &pack.graph(Part::VaeEncoder), &options) {
        Ok(model) => Finding::fine("provider", format!("{}, with MIRROR_PROVIDER={told}", model.provider())),
        Err(error) => {
            let remedy = "MIRROR_PROVIDER=auto takes what works; for a graphics card: scripts/setup --gpu";
            Finding::fault("provider", format!("MIRROR_PROVIDER={told}: {}: {remedy}", one_line(&error)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::subject::tests::subject;
    use super::*;
    use std::fs;
    use std::net::TcpListener;

    fn seen(root: &Path, told: &str) -> Finding {
        let (state, text) = camera(root, CLIP, told);
        Finding { state, about: "camera", text }
    }

    #[test]
    fn a_source_that_is_not_there_is_a_fault_that_says_what_can_be_named() {
        let root = tempfile::tempdir().unwrap();
        for (told, part) in [
            ("", "is empty: name a camera"),
            ("nowhere.mp4", "nowhere.mp4 is not there: name a camera"),
            ("file:///nowhere/at/all", "/nowhere/at/all is not there"),
            ("/dev/video4711", "there is no such camera: plug it in"),
            ("4711", "CAMERA_SOURCE=/dev/video4711: there is no such camera"),
            ("gopher://host/film", "gopher://… is no stream that can be read"),
            ("rtsp://", "names no machine"),
            ("rtsp://host:port/", "names no machine"),
        ] {
            let finding = seen(root.path(), told);
            assert!(finding.state == State::Fault && finding.text.contains(part), "{told}: {finding:?}");
        }
        fs::write(root.path().join("film.mp4"), "").unwrap();
        for told in ["film.mp4", "pattern", "udp://239.0.0.1:5000"] {
            assert_eq!(seen(root.path(), told).state, State::Fine, "{told}");
        }
        assert_eq!(seen(root.path(), "auto").state, State::Missing);
        fs::create_dir(root.path().join("assets")).unwrap();
        fs::write(root.path().join(CLIP), "").unwrap();
        assert_eq!(
            seen(root.path(), "Auto").text,
            "CAMERA_SOURCE=auto: the first camera that works, else assets/clip.mp4"
        );
    }

    #[test]
    fn a_camera_of_the_network_is_asked_and_its_password_is_not_said() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap();
        let told = format!("rtsp://me:secret@{place}/live?a=b@c");
        let finding = seen(Path::new("/"), &told);
        assert_eq!(finding, Finding::fine("camera", format!("CAMERA_SOURCE=rtsp://{place}: it answers")));
        drop(listener);
        let finding = seen(Path::new("/"), &told);
        assert!(finding.state == State::Fault && finding.text.contains("does not answer"), "{finding:?}");
        assert!(!finding.text.contains("secret"), "{finding:?}");
    }

    #[test]
    fn a_microphone_that_is_named_where_nothing_records_is_a_fault() {
        let heard = |hears, told: &str| microphone(Path::new("/nowhere"), hears, told);
        for told in ["auto", "none", "None"] {
            assert_eq!(heard(false, told).0, State::Fine, "{told}");
        }
        for told in ["", "default", "USB webcam", "speech.wav", "my recordings/"] {
            let (state, text) = heard(false, told);
            assert!(state == State::Fault && text.contains("name a microphone"), "{told}: {text}");
        }
        assert_eq!(heard(true, "USB webcam").0, State::Fine);
    }

    #[test]
    fn every_camera_of_the_graph_is_looked_at_and_a_provider_that_is_none_is_named() {
        let (_folder, subject) = subject(
            "
env: { CAMERA_SOURCE: pattern, MIRROR_PROVIDER: npu, MIRROR_PACK: models/none }
nodes:
  - { id: camera, path: target/release/camera }
  - { id: camera_2, path: target/release/camera, env: { CAMERA_SOURCE: garden.mp4 } }
",
        );
        let lines: Vec<String> = look(&subject, false).iter().map(Finding::line).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("ok     camera      CAMERA_SOURCE=pattern"), "{lines:?}");
        assert!(
            lines[1].starts_with("FAULT  camera      camera_2: CAMERA_SOURCE=garden.mp4 is not there"),
            "{lines:?}"
        );
        let expected = "FAULT  provider    MIRROR_PROVIDER=\"npu\" is not auto, cpu, cuda or tensorrt: correct it";
        assert_eq!(lines[2], expected);
    }
}
