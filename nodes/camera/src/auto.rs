//! `CAMERA_SOURCE=auto`: the first camera that works, else the clip, until one does.

use crate::config::Config;
use crate::feed::stand_in::StandIn;
use crate::open::{Opened, device, file};
use eyre::{Result, WrapErr};
use mirror_kit::backoff::Backoff;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the cameras of this machine are.
const DEVICES: &str = "/dev";
/// How often it is looked which cameras there are while the clip stands in for one: it means to read a folder.
const LOOK: Duration = Duration::from_secs(3);
/// One that is there and does not work is tried so many times less often than a source that has vanished: it may be in the hands
/// of another program, or no camera at all.
const RARELY: u32 = 4;

/// Opens a camera.
type Open = dyn Fn(&Path) -> Result<Opened> + Send;

/// The cameras that `auto` chooses from.
pub(crate) struct Cameras {
    /// How often it is looked which there are.
    pub every: Duration,
    /// Those that there are.
    pub list: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    /// Opens one of them.
    pub open: Box<Open>,
}

impl Cameras {
    /// Those of this machine.
    pub fn here(config: &Config) -> Self {
        let config = config.clone();
        let open = move |path: &Path| device(path, &config);
        Self { every: LOOK, list: Box::new(here), open: Box::new(open) }
    }

    /// The first of these that works, or why none does.
    fn first(&self, listed: &[PathBuf]) -> Result<Opened, String> {
        let mut reasons = Vec::new();
        for camera in listed {
            match (self.open)(camera) {
                Ok(opened) => return Ok(opened),
                Err(error) => reasons.push(format!("{}: {error:#}", camera.display())),
            }
        }
        if reasons.is_empty() {
            Err("there is no camera".to_owned())
        } else {
            Err(format!("no camera works ({})", reasons.join("; ")))
        }
    }
}

/// The first camera that works, else the clip, until one does.
///
/// # Errors
/// There is neither.
pub(crate) fn auto(config: &Config, cameras: Cameras) -> Result<Opened> {
    let listed = (cameras.list)();
    let why = match cameras.first(&listed) {
        Ok(opened) => return Ok(opened),
        Err(why) => why,
    };
    let clip = config.clip.display();
    let opened = file(&config.clip, config).wrap_err_with(|| format!("{why}, and CAMERA_CLIP={clip} instead"))?;
    let (every, mut tries) = (cameras.every, Tries::after(listed));
    let look = move |now| {
        let listed = (cameras.list)();
        if tries.are_due(&listed, now) { cameras.first(&listed).ok() } else { None }
    };
    let feed = Box::new(StandIn::until(opened.feed, every, look)?);
    Ok(Opened { feed, text: format!("{why}: the clip is shown instead: {}", opened.text), level: opened.level })
}

/// The cameras of this machine, in the order of their numbers.
pub(crate) fn here() -> Vec<PathBuf> {
    cameras(Path::new(DEVICES))
}

/// The cameras under `devices`, in the order of their numbers.
fn cameras(devices: &Path) -> Vec<PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("video")?.parse::<u32>().ok();
    let entries = devices.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut cameras: Vec<_> = entries.filter_map(|path| Some((number(&path)?, path))).collect();
    cameras.sort();
    cameras.into_iter().map(|(_, path)| path).collect()
}

/// When cameras are tried that have not worked. The clock is the caller's.
struct Tries {
    listed: Vec<PathBuf>,
    backoff: Backoff,
    due: Duration,
}

impl Tries {
    /// These have just been tried.
    fn after(listed: Vec<PathBuf>) -> Self {
        let mut backoff = Backoff::default();
        let due = RARELY * backoff.failed();
        Self { listed, backoff, due }
    }

    /// Whether these are to be tried now: at once if one has come or gone, else ever more rarely.
    fn are_due(&mut self, listed: &[PathBuf], now: Duration) -> bool {
        if self.listed != listed {
            *self = Self { listed: listed.to_vec(), backoff: Backoff::default(), due: now };
        }
        let are_due = !listed.is_empty() && now >= self.due;
        if are_due {
            self.due = now + RARELY * self.backoff.failed();
        }
        are_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;
    use mirror_kit::Environment;

    const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/clip.mp4");

    /// What `auto` finds with these cameras and this clip.
    fn found(listed: &[&str], clip: &str) -> Result<String> {
        let config = Config::of(&Environment::given(KEYS, [("CAMERA_CLIP", clip)])?)?;
        let listed: Vec<_> = listed.iter().map(PathBuf::from).collect();
        let cameras = Cameras { list: Box::new(move || listed.clone()), ..Cameras::here(&config) };
        auto(&config, cameras).map(|opened| opened.text)
    }

    #[test]
    fn cameras_come_in_the_order_of_their_numbers() {
        let folder = tempfile::TempDir::new().expect("a folder");
        for name in ["video10", "video2", "videos", "audio1", "video"] {
            std::fs::write(folder.path().join(name), "").expect("it can be written");
        }
        assert_eq!(cameras(folder.path()), [folder.path().join("video2"), folder.path().join("video10")]);
        assert_eq!(cameras(Path::new("/nowhere")), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn without_a_camera_auto_takes_the_clip_and_says_so() {
        let text = found(&[], CLIP).expect("there is a clip");
        assert_eq!(text, format!("there is no camera: the clip is shown instead: film {CLIP}, 30.000 fps"));
    }

    #[test]
    fn a_camera_that_does_not_work_is_named_and_the_clip_is_taken() {
        let text = found(&["/dev/null", "/dev/video63"], CLIP).expect("there is a clip");
        assert!(
            text.starts_with("no camera works (/dev/null: it is in use by another program, or no camera"),
            "{text}"
        );
        assert!(text.contains("; /dev/video63: there is no such camera"), "{text}");
        assert!(text.contains("the clip is shown instead: film "), "{text}");
    }

    #[test]
    fn without_camera_and_clip_auto_names_both() {
        let error = format!("{:#}", found(&[], "/nowhere/clip.mp4").expect_err("there is nothing"));
        let expected = "there is no camera, and CAMERA_CLIP=/nowhere/clip.mp4 instead: there is no such file or folder";
        assert!(error.starts_with(expected), "{error}");
    }

    /// The seconds of two minutes in which these cameras are tried, when it is looked every second.
    fn tried(mut tries: Tries, listed: impl Fn(u64) -> Vec<PathBuf>) -> Vec<u64> {
        (0..120).filter(|second| tries.are_due(&listed(*second), Duration::from_secs(*second))).collect()
    }

    #[test]
    fn a_camera_that_comes_is_tried_at_once_and_one_that_does_not_work_ever_more_rarely() {
        let camera = || vec![PathBuf::from("/dev/video0")];
        assert_eq!(tried(Tries::after(camera()), |_| camera()), [2, 6, 14, 30, 62, 94]);
        assert_eq!(tried(Tries::after(Vec::new()), |_| Vec::new()), [0; 0]);
        let plugged = |second| if (5..7).contains(&second) || second >= 90 { camera() } else { Vec::new() };
        assert_eq!(tried(Tries::after(Vec::new()), plugged), [5, 90, 92, 96, 104]);
    }
}
