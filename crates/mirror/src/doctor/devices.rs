//! The machine: cameras, microphones, displays, shared memory, graphics processors.

use super::{Finding, State};
use std::env;
use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Shared memory that all edges of a graph need at once, in bytes: pools of 8 MB for each of a dozen nodes.
const SHARED_MEMORY: u64 = 128 << 20;

/// Room that an evening of recordings needs, in bytes.
const DISK: u64 = 1 << 30;

/// Memory of a graph with the starter pack, in bytes: `benches/RESULTS.md`, and room for the machine itself.
const MEMORY: u64 = 600 << 20;

/// Where a machine shows what it has; another place in tests.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
    display: Option<String>,
    wayland: Option<PathBuf>,
    runtime: Option<PathBuf>,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let set = |key: &str| env::var(key).ok().filter(|value| !value.is_empty());
        let runtime = set("XDG_RUNTIME_DIR").map(PathBuf::from);
        let wayland = set("WAYLAND_DISPLAY").zip(runtime.clone()).map(|(name, folder)| folder.join(name));
        Self { root: "/".into(), display: set("DISPLAY"), wayland, runtime }
    }

    /// Looks at all of it.
    pub fn look(&self) -> Vec<Finding> {
        let others = vec![self.display(), self.shared_memory(), self.memory(), self.graphics()];
        [self.cameras(), self.microphones(), others].concat()
    }

    /// Whether something records.
    pub fn hears(&self) -> bool {
        self.microphones().iter().any(|finding| finding.state == State::Fine)
    }

    /// Cores, and what memory is free: `/proc/meminfo`, proc(5).
    fn memory(&self) -> Finding {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let text = self.text("proc/meminfo");
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_suffix("kB")?.trim().parse().ok());
        let Some(kib): Option<u64> = value("MemAvailable:") else {
            return Finding::fine("machine", format!("{cores} cores"));
        };
        let text = format!("{cores} cores, {} MB of memory free", kib >> 10);
        if kib << 10 < MEMORY {
            let needed = MEMORY >> 20;
            return Finding::missing("machine", format!("{text}: the starter pack needs {needed}; end other programs"));
        }
        Finding::fine("machine", text)
    }

    /// The entries of a folder whose names begin so, in order.
    fn entries(&self, folder: &str, prefix: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path())
            .collect();
        paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
        paths
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default().trim().to_owned()
    }

    fn cameras(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for path in self.entries("dev", "video") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let about = format!("sys/class/video4linux/{name}");
            // A camera has several devices; pictures come from its first.
            if !matches!(self.text(&format!("{about}/index")).as_str(), "" | "0") {
                continue;
            }
            let text = format!("/dev/{name} {}", self.text(&format!("{about}/name")));
            findings.push(match opens(&path) {
                Ok(()) => Finding::fine("camera", text.trim_end()),
                Err(ErrorKind::PermissionDenied) => Finding::missing(
                    "camera",
                    format!("{text}: it may not be opened: sudo usermod -aG video $USER, then log in again"),
                ),
                Err(ErrorKind::ResourceBusy) => {
                    Finding::missing("camera", format!("{text}: another program has it: close that one"))
                }
                Err(kind) => Finding::missing(
                    "camera",
                    format!("{text}: it cannot be opened ({kind}): unplug it and plug it in again"),
                ),
            });
        }
        if findings.is_empty() {
            let text = "none: the bundled clip is shown. Plug one in, or name a stream: CAMERA_SOURCE=rtsp://…";
            findings.push(Finding::missing("camera", text));
        }
        findings
    }

    /// What records, of the list that ALSA's kernel side shows: `00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1`.
    fn microphones(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for line in self.text("proc/asound/pcm").lines().filter(|line| line.contains(": capture ")) {
            let Some((numbers, rest)) = line.split_once(':') else { continue };
            let mut numbers = numbers.split('-').map(|number| number.trim().parse::<u32>().unwrap_or(0));
            let (card, device) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            let name = rest.split(':').next().unwrap_or_default().trim();
            let text = format!("plughw:CARD={card},DEV={device} {name}");
            let path = self.root.join(format!("dev/snd/pcmC{card}D{device}c"));
            findings.push(match opens(&path) {
                Err(ErrorKind::PermissionDenied) => Finding::missing(
                    "microphone",
                    format!("{text}: it may not be opened: sudo usermod -aG audio $USER, then log in again"),
                ),
                _ => Finding::fine("microphone", text),
            });
        }
        let servers = [("PipeWire", "pipewire-0"), ("PulseAudio", "pulse/native")];
        for (server, socket) in servers {
            if let Some(folder) = &self.runtime
                && folder.join(socket).exists()
            {
                let plugin = self.entries("usr/lib", "").iter().any(|folder| folder.join("alsa-lib").is_dir());
                let text = if plugin {
                    format!("default, through {server}")
                } else {
                    format!(
                        "{server} runs, and ALSA does not lead to it: apt install libasound2-plugins (or pipewire-alsa)"
                    )
                };
                findings.push(Finding::fine("microphone", text));
                break;
            }
        }
        if findings.is_empty() {
            let text = "none: prompts are typed. Plug one in; in a container, pass /dev/snd in";
            findings.push(Finding::missing("microphone", text));
        }
        findings
    }

    fn display(&self) -> Finding {
        if let Some(socket) = &self.wayland
            && UnixStream::connect(socket).is_ok()
        {
            return Finding::fine("display", format!("Wayland, {}", socket.display()));
        }
        let Some(display) = &self.display else {
            return Finding::missing(
                "display",
                "none: the picture is on the page. On the machine's own screen: export DISPLAY=:0",
            );
        };
        // `:0`, `:0.1`: a screen of this machine; `host:0` is one in the network.
        let number = display.strip_prefix(':').map(|rest| rest.split('.').next().unwrap_or(rest));
        let reachable =
            number.is_none_or(|number| UnixStream::connect(self.root.join(format!("tmp/.X11-unix/X{number}"))).is_ok());
        if reachable {
            Finding::fine("display", format!("X11, DISPLAY={display}"))
        } else {
            Finding::missing(
                "display",
                format!(
                    "DISPLAY={display} does not answer: the picture is on the page. Log in at the screen, or correct DISPLAY"
                ),
            )
        }
    }

    fn shared_memory(&self) -> Finding {
        match file_system(&self.root.join("dev/shm")).map(|[size, _]| size) {
            Some(bytes) if bytes < SHARED_MEMORY => Finding::fault(
                "memory",
                format!(
                    "/dev/shm has {} MB, pictures need {}: in Docker, start with --shm-size=1g",
                    bytes >> 20,
                    SHARED_MEMORY >> 20
                ),
            ),
            Some(bytes) => Finding::fine("memory", format!("/dev/shm has {} MB", bytes >> 20)),
            None => Finding::fault("memory", "there is no /dev/shm: pictures go from node to node through it"),
        }
    }

    fn graphics(&self) -> Finding {
        let driver = self.text("proc/driver/nvidia/version");
        let driver = driver.lines().next().unwrap_or_default();
        let jetson = self.text("proc/device-tree/model").replace('\0', "");
        if !driver.is_empty() {
            Finding::fine("graphics", driver.split_whitespace().collect::<Vec<_>>().join(" "))
        } else if jetson.contains("Jetson") || jetson.contains("Orin") {
            Finding::fine("graphics", jetson)
        } else {
            Finding::missing(
                "graphics",
                "no NVIDIA driver: models run on the processor. With a card: install its driver, then scripts/setup --gpu",
            )
        }
    }
}

/// Whether a device can be opened for reading and writing.
pub fn opens(path: &Path) -> Result<(), ErrorKind> {
    OpenOptions::new().read(true).write(true).open(path).map(drop).map_err(|error| error.kind())
}

/// Room for recordings, films and logs.
pub fn disk(folder: &Path) -> Finding {
    match file_system(folder).map(|[_, free]| free) {
        Some(bytes) if bytes < DISK => Finding::missing(
            "disk",
            format!("{} MB free where {} lies: recordings and logs fill it; make room", bytes >> 20, folder.display()),
        ),
        Some(bytes) => Finding::fine("disk", format!("{} MB free", bytes >> 20)),
        None => Finding::missing("disk", format!("{} does not say what is free", folder.display())),
    }
}

/// Size of the file system that a folder is in, and what is free of it, in bytes.
fn file_system(folder: &Path) -> Option<[u64; 2]> {
    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: the struct is plain numbers, for which zero is a value.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero byte, and the struct lives until the call returns.
    let result = unsafe { libc::statvfs(path.as_ptr(), &raw mut stat) };
    (result == 0).then_some([stat.f_frsize * stat.f_blocks, stat.f_frsize * stat.f_bavail])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn machine() -> (TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine { root: folder.path().to_owned(), display: None, wayland: None, runtime: None };
        (folder, machine)
    }

    fn write(machine: &Machine, path: &str, text: &str) {
        let path = machine.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_bare_machine_has_no_devices_and_every_line_says_what_to_do() {
        let (_folder, machine) = machine();
        for (findings, remedy) in [
            (machine.cameras(), "CAMERA_SOURCE="),
            (machine.microphones(), "Plug one in"),
            (vec![machine.display()], "DISPLAY=:0"),
            (vec![machine.graphics()], "scripts/setup --gpu"),
        ] {
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].state == State::Missing && findings[0].text.contains(remedy), "{findings:?}");
        }
    }

    #[test]
    fn a_camera_is_named_once_though_it_has_several_devices() {
        let (_folder, machine) = machine();
        for (device, index) in [("video0", "0"), ("video1", "1"), ("video10", "0"), ("video2", "0")] {
            write(&machine, &format!("dev/{device}"), "");
            write(&machine, &format!("sys/class/video4linux/{device}/name"), "HD Webcam\n");
            write(&machine, &format!("sys/class/video4linux/{device}/index"), index);
        }
        let texts: Vec<String> = machine.cameras().into_iter().map(|finding| finding.text).collect();
        assert_eq!(texts, ["/dev/video0 HD Webcam", "/dev/video2 HD Webcam", "/dev/video10 HD Webcam"]);
    }

    #[test]
    fn what_only_plays_is_no_microphone() {
        let (_folder, machine) = machine();
        let list = "00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1\n00-03: HDMI 0 : HDMI 0 : playback 1\n\
                    02-00: USB Audio : USB Audio : capture 1\n";
        write(&machine, "proc/asound/pcm", list);
        let texts: Vec<String> = machine.microphones().into_iter().map(|finding| finding.text).collect();
        assert_eq!(texts, ["plughw:CARD=0,DEV=0 ALC257 Analog", "plughw:CARD=2,DEV=0 USB Audio"]);
    }

    #[test]
    fn a_sound_server_is_the_default_microphone() {
        let (_folder, mut machine) = machine();
        machine.runtime = Some(machine.root.join("run"));
        write(&machine, "run/pulse/native", "");
        let text = machine.microphones()[0].text.clone();
        assert!(text.contains("PulseAudio runs") && text.contains("libasound2-plugins"), "{text}");
        fs::create_dir_all(machine.root.join("usr/lib/x86_64-linux-gnu/alsa-lib")).unwrap();
        assert_eq!(machine.microphones()[0].text, "default, through PulseAudio");
    }

    #[test]
    fn a_display_that_does_not_answer_is_named() {
        let (_folder, mut machine) = machine();
        machine.display = Some(":7.0".to_owned());
        assert!(machine.display().text.contains("DISPLAY=:7.0 does not answer"));
        fs::create_dir_all(machine.root.join("tmp/.X11-unix")).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(machine.root.join("tmp/.X11-unix/X7")).unwrap();
        assert_eq!(machine.display(), Finding::fine("display", "X11, DISPLAY=:7.0"));
    }

    #[test]
    fn a_machine_that_is_full_is_said() {
        let (_folder, machine) = machine();
        write(&machine, "proc/meminfo", "MemTotal:  8000000 kB\nMemAvailable:     300000 kB\n");
        let finding = machine.memory();
        assert!(finding.state == State::Missing && finding.text.contains("292 MB of memory free"), "{finding:?}");
        write(&machine, "proc/meminfo", "MemAvailable:     3000000 kB\n");
        assert_eq!(machine.memory().state, State::Fine);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        assert!(Machine::here().look().len() >= 5);
    }
}
