//! What becomes an utterance, and what does not: recorded speech and sounds made here.
//!
//! `cargo test --release -p vad --test sounds -- --nocapture` prints what was measured.

use mirror_kit::Environment;
use std::f32::consts::TAU;
use vad::config::{Config, KEYS};
use vad::cut::{RATE_HZ, Utterance};
use vad::detect::Ear;

/// What comes out of a sound that is heard in chunks of 30 ms.
fn heard(sound: &[f32], pairs: &[(&str, &str)]) -> Vec<Utterance> {
    let config = Environment::given(KEYS, pairs.iter().copied())
        .and_then(|environment| Config::of(&environment))
        .expect("it is right");
    let (mut ear, mut out) = (Ear::new(&config), Vec::new());
    for (index, chunk) in sound.chunks(480).enumerate() {
        ear.hear(chunk, index as i64 * 30_000_000, |utterance| out.push(utterance));
    }
    out
}

/// Speech that espeak-ng said.
fn spoken(name: &str) -> Vec<f32> {
    let path = format!("{}/tests/speech/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let reader = hound::WavReader::open(path).expect("it is there");
    reader.into_samples::<i16>().map(|sample| f32::from(sample.expect("it is whole")) / 32768.0).collect()
}

/// Random numbers, −1 to 1, the same every time (Marsaglia's xorshift).
struct Noise(u32);

impl Iterator for Noise {
    type Item = f32;
    fn next(&mut self) -> Option<f32> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        Some(self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0)
    }
}

fn samples(seconds: f32) -> usize {
    (seconds * RATE_HZ as f32) as usize
}

fn silence(seconds: f32) -> Vec<f32> {
    Noise(7).take(samples(seconds)).map(|value| value * 0.0003).collect()
}

fn white(seconds: f32, level: f32) -> Vec<f32> {
    Noise(1).take(samples(seconds)).map(|value| value * level * 1.7).collect()
}

/// Noise whose highs are weaker: a fan, a street.
fn brown(seconds: f32, level: f32) -> Vec<f32> {
    let mut low = 0.0;
    let filter = |value: f32| {
        low += 0.03 * (value - low);
        low * level * 14.0
    };
    Noise(2).take(samples(seconds)).map(filter).collect()
}

/// A transformer: 50 Hz and its overtones.
fn hum(seconds: f32, level: f32) -> Vec<f32> {
    let tone = |at: usize| {
        let time = at as f32 / RATE_HZ as f32;
        (1..12).map(|n| (TAU * 50.0 * n as f32 * time).sin() / n as f32).sum::<f32>() * level
    };
    (0..samples(seconds)).map(tone).collect()
}

/// Notes of a plucked or a blown instrument, one after another or three at once.
fn music(seconds: f32, level: f32, voices: usize, note_seconds: f32, decay: f32) -> Vec<f32> {
    // A minor pentatonic scale from A3 on, in semitones.
    const SCALE: [f32; 10] = [0.0, 3.0, 5.0, 7.0, 10.0, 12.0, 15.0, 17.0, 19.0, 22.0];
    let mut sound = vec![0.0; samples(seconds)];
    let mut random = Noise(3);
    for voice in 0..voices {
        let mut start = 0;
        while start < sound.len() {
            let choice = ((random.next().unwrap_or(0.0) + 1.0) * 4.99) as usize;
            let hz = 220.0 * 2.0_f32.powf(SCALE[choice % 10] / 12.0) * if voice == 1 { 1.5 } else { 1.0 };
            let len = samples(note_seconds * (1.0 + (choice % 2) as f32)).min(sound.len() - start);
            for at in 0..len {
                let time = at as f32 / RATE_HZ as f32;
                let shape = (time * 60.0).min(1.0) * (-time * decay).exp();
                let tone: f32 = (1..6).map(|n| (TAU * hz * n as f32 * time).sin() / (n * n) as f32).sum();
                sound[start + at] += tone * shape * level / voices as f32;
            }
            start += len.max(1);
        }
    }
    sound
}

/// A door that falls shut every three seconds.
fn door(seconds: f32, level: f32) -> Vec<f32> {
    let (mut low, mut noise) = (0.0, Noise(4));
    let bang = |at: usize| {
        let time = (at % samples(3.0)) as f32 / RATE_HZ as f32;
        let value = noise.next().unwrap_or(0.0);
        low += 0.15 * (value - low);
        let boom = (TAU * 90.0 * time).sin() * (-time * 14.0).exp();
        (low * 2.0 * (-time * 9.0).exp() + boom) * level
    };
    (0..samples(seconds)).map(bang).collect()
}

/// Keys, about seven a second: a click of some milliseconds each, of differing strength.
fn typing(seconds: f32, level: f32) -> Vec<f32> {
    let mut sound = silence(seconds);
    let (mut noise, mut random) = (Noise(5), Noise(6));
    let mut at = 0;
    while at < sound.len() {
        let strength = level * (0.6 + 0.4 * random.next().unwrap_or(0.0));
        for (offset, sample) in sound[at..].iter_mut().take(samples(0.03)).enumerate() {
            *sample += noise.next().unwrap_or(0.0) * strength * (-(offset as f32) / 60.0).exp();
        }
        at += samples(0.14 + 0.08 * random.next().unwrap_or(0.0));
    }
    sound
}

/// How many utterances come out of a sound, printed.
fn count(name: &str, sound: &[f32]) -> usize {
    let (count, unchecked) = (heard(sound, &[]).len(), heard(sound, &[("VAD_VOICE_CHECK", "off")]).len());
    let seconds = sound.len() / RATE_HZ;
    println!("{name:16} {seconds} s: {count} utterances, {unchecked} without the voice check");
    count
}

#[test]
fn two_minutes_of_noise_of_hum_and_of_silence_hold_no_utterance() {
    for level in [0.2, 0.02] {
        assert_eq!(count("white noise", &white(120.0, level)), 0);
        assert_eq!(count("brown noise", &brown(120.0, level)), 0);
        assert_eq!(count("hum", &hum(120.0, level)), 0);
    }
    assert_eq!(count("silence", &silence(120.0)), 0);
    assert_eq!(count("digital silence", &vec![0.0; samples(120.0)]), 0);
}

#[test]
fn two_minutes_of_music_seldom_hold_an_utterance() {
    for level in [0.2, 0.02] {
        assert!(count("plucked strings", &music(120.0, level, 1, 0.25, 4.0)) <= 2);
        assert!(count("organ", &music(120.0, level, 3, 0.5, 0.3)) <= 2);
        assert!(count("flute", &music(120.0, level, 1, 0.4, 0.2)) <= 2);
    }
}

#[test]
fn two_minutes_of_doors_and_keys_seldom_hold_an_utterance() {
    for level in [0.6, 0.06] {
        assert!(count("40 doors", &door(120.0, level)) <= 4);
        assert!(count("850 keys", &typing(120.0, level)) <= 2);
    }
}

/// First and last sample that is loud.
fn extent(sound: &[f32]) -> (usize, usize) {
    let loud = |sample: &f32| sample.abs() > 0.01;
    (sound.iter().position(loud).expect("it is loud"), sound.iter().rposition(loud).expect("it is loud"))
}

#[test]
fn a_sentence_is_one_utterance_with_its_first_and_its_last_sound_and_little_else() {
    for name in ["comic", "watercolour"] {
        for noise in [0.0003, 0.003, 0.02] {
            let speech = spoken(name);
            let (first, last) = extent(&speech);
            let mut sound = [silence(1.5), speech, silence(1.0)].concat();
            sound.iter_mut().zip(Noise(9)).for_each(|(sample, value)| *sample += value * noise);
            let out = heard(&sound, &[]);
            assert_eq!(out.len(), 1, "{name} with noise {noise}");
            let start = samples(out[0].captured_ns as f32 / 1e9) as i64 - samples(1.5) as i64;
            let end = start + out[0].samples.len() as i64;
            let [early, late] = [first as i64 - start, end - last as i64].map(|samples| samples / 16);
            println!(
                "{name} with noise {noise}: begins {early} ms before the first sound, ends {late} ms after the last"
            );
            // The pre-roll is 300 ms, the tail 100 ms. What is softer than the noise cannot be found.
            assert!((100..450).contains(&early), "{name} with noise {noise}: {early} ms");
            assert!((-60..250).contains(&late), "{name} with noise {noise}: {late} ms");
        }
    }
}

#[test]
fn a_pause_for_breath_does_not_cut_a_sentence_and_a_longer_one_does() {
    let speech = |name| {
        let speech = spoken(name);
        let (first, last) = extent(&speech);
        speech[first..last].to_vec()
    };
    let with = |pause| [silence(1.0), speech("comic"), silence(pause), speech("watercolour"), silence(2.0)].concat();
    assert_eq!(heard(&with(0.25), &[]).len(), 1);
    assert_eq!(heard(&with(0.7), &[]).len(), 2);
    assert_eq!(heard(&with(0.7), &[("VAD_SILENCE_MS", "1500")]).len(), 1);
}

#[test]
fn ten_sentences_in_a_row_are_ten_utterances_in_their_order() {
    let sentence = |index: usize| [spoken(["comic", "watercolour"][index % 2]), silence(0.8)].concat();
    let sound: Vec<f32> = silence(1.0).into_iter().chain((0..10).flat_map(sentence)).collect();
    let out = heard(&sound, &[]);
    assert_eq!(out.len(), 10);
    assert!(out.windows(2).all(|pair| pair[0].captured_ns < pair[1].captured_ns));
}

#[test]
fn a_minute_of_speech_without_a_pause_is_cut_and_nothing_of_it_is_lost() {
    let mut speech: Vec<f32> = spoken("comic");
    let (first, last) = extent(&speech);
    speech = speech[first..last].to_vec();
    let sound: Vec<f32> =
        silence(1.0).into_iter().chain((0..28).flat_map(|_| speech.clone())).chain(silence(1.0)).collect();
    let out = heard(&sound, &[]);
    let seconds: f32 = out.iter().map(|utterance| utterance.samples.len() as f32 / RATE_HZ as f32).sum();
    assert!(out.len() >= 4, "{}", out.len());
    assert!(out.iter().all(|utterance| utterance.samples.len() <= samples(15.2)));
    let whole = (28 * speech.len()) as f32 / RATE_HZ as f32;
    assert!((seconds - whole).abs() < 1.0, "{seconds} s of {whole} s");
}

#[test]
fn speech_of_any_loudness_is_heard_and_broken_samples_do_no_harm() {
    for gain in [0.03, 0.2, 1.0, 8.0] {
        let sound: Vec<f32> = [silence(1.0), spoken("comic"), silence(1.0)].concat().iter().map(|s| s * gain).collect();
        assert_eq!(heard(&sound, &[]).len(), 1, "{gain} times as loud");
    }
    let broken = vec![f32::NAN; samples(1.0)];
    let sound = [broken, silence(1.0), spoken("comic"), silence(1.0)].concat();
    assert_eq!(heard(&sound, &[]).len(), 1);
}
