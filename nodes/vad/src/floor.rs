//! How loud it is when nobody speaks.

/// Frames of which the mean is taken: 100 ms.
const BLOCK: usize = 5;
/// Blocks that are looked back on: 4 s. Within that, everybody takes a breath.
const BLOCKS: usize = 40;
/// No room is quieter than that, in decibels below the loudest: what is digital silence must not make a hiss loud.
const QUIETEST_DB: f32 = -66.0;
/// Speech is so much louder than the room.
const MARGIN_DB: f32 = 6.0;

/// The level of the room: the quietest tenth of a second of the last four.
#[derive(Debug)]
pub struct Floor {
    blocks: [f32; BLOCKS],
    at: usize,
    sum: f32,
    count: usize,
    floor: f32,
}

impl Default for Floor {
    fn default() -> Self {
        Self { blocks: [f32::INFINITY; BLOCKS], at: 0, sum: 0.0, count: 0, floor: QUIETEST_DB }
    }
}

impl Floor {
    /// Takes the level of the next frame in, in decibels, and says whether it stands out of the room.
    pub fn is_above(&mut self, level_db: f32) -> bool {
        let level_db = if level_db.is_finite() { level_db } else { QUIETEST_DB };
        self.sum += level_db;
        self.count += 1;
        if self.count == BLOCK {
            self.blocks[self.at] = self.sum / BLOCK as f32;
            self.at = (self.at + 1) % BLOCKS;
            self.floor = self.blocks.iter().copied().fold(f32::INFINITY, f32::min).max(QUIETEST_DB);
            (self.sum, self.count) = (0.0, 0);
        }
        level_db > self.floor + MARGIN_DB
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many frames of that level: how many of them stand out.
    fn hear(floor: &mut Floor, frames: usize, level_db: f32) -> usize {
        (0..frames).filter(|_| floor.is_above(level_db)).count()
    }

    #[test]
    fn a_steady_noise_stands_out_for_a_moment_only_and_a_voice_over_it_does() {
        let mut floor = Floor::default();
        let noise = hear(&mut floor, 500, -30.0);
        assert!(noise <= BLOCK, "{noise} frames");
        assert!(floor.is_above(-20.0));
        assert!(!floor.is_above(-29.0));
    }

    #[test]
    fn after_a_noise_has_stopped_the_room_is_quiet_again_at_once_and_a_louder_room_is_learnt_in_four_seconds() {
        let mut floor = Floor::default();
        hear(&mut floor, 500, -30.0);
        hear(&mut floor, BLOCK, -60.0);
        assert!(floor.is_above(-40.0));
        let learning = hear(&mut floor, 1000, -30.0);
        assert!((BLOCK * (BLOCKS - 2)..=BLOCK * (BLOCKS + 1)).contains(&learning), "{learning} frames");
    }

    #[test]
    fn what_is_no_number_does_not_stay() {
        let mut floor = Floor::default();
        for level in [f32::NAN, f32::NEG_INFINITY, f32::INFINITY] {
            hear(&mut floor, BLOCK, level);
        }
        assert!(floor.is_above(-20.0));
    }
}
