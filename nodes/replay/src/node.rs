//! Ports and event loop.

use crate::config::Config;
use crate::play::Player;
use crate::send::Sender;
use eyre::Result;
use mirror_contract::Level;
use mirror_kit::Node;
use std::time::{Duration, Instant};

pub use crate::ports::{INPUTS, OUTPUTS};

/// How the last notice begins.
pub const REPLAYED: &str = "replay finished";

/// Runs the node until the mirror stops. The recording's end is a notice; the graph stays, with the last picture.
///
/// # Errors
/// A configuration or a recording that cannot be used; dora cannot send; a mirror that does not paint.
pub fn run() -> Result<()> {
    let mut node = Node::join()?;
    let config = Config::from_env()?;
    let ports = OUTPUTS.iter().map(|(port, _)| (*port).to_owned()).filter(|port| node.declares(port)).collect();
    let (pace, mut player) = (config.pace, Player::open(config, ports)?);
    let mut sender = Sender::new(&node, pace, &player);
    let (begin, mut sent) = (Instant::now(), 0u64);
    while let Some(due) = player.following()? {
        if !sender.send(&mut node, &due)? {
            return Ok(());
        }
        sent += 1;
    }
    if let Some(remark) = player.remark() {
        node.notice(Level::Warning, &remark);
    }
    // The last picture is still on its way where nobody says when it is there.
    if !sender.listen(&mut node, Duration::from_secs(1))? {
        return Ok(());
    }
    let seconds = begin.elapsed().as_secs_f64();
    node.notice(Level::Info, &format!("{REPLAYED}: {sent} messages in {seconds:.1} s"));
    while sender.listen(&mut node, Duration::from_secs(1))? {}
    Ok(())
}
