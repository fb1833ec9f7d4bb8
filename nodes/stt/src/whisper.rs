//! whisper.cpp.

use eyre::{Result, eyre};
use std::path::Path;
use std::thread::available_parallelism;
use stt::config::Config;
use stt::ggml::{self, Header};
use stt::hear::{Heard, Transcriber, pieces};
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState, install_logging_hooks,
};

/// Letters of a fast speaker a second: the starter's listener writes unknown words one a token. A decoder that does not find the end is
/// stopped there.
const TOKENS_A_SECOND: usize = 24;
/// And so many beside.
const TOKENS_BESIDE: usize = 16;

/// A whisper model that runs.
pub struct Whisper {
    context: WhisperContext,
    state: WhisperState,
    header: Header,
    language: Option<String>,
    translate: bool,
    beam_size: i32,
    threads: i32,
    text: String,
}

impl Whisper {
    /// Opens the model, after all of its file was checked: whisper.cpp ends the process over a damaged one.
    ///
    /// # Errors
    /// A file that is no whisper model; a language that the model does not know; no memory.
    pub fn open(config: &Config) -> Result<Self> {
        install_logging_hooks();
        let path: &Path = &config.model;
        let header = ggml::check(path).map_err(|error| eyre!("STT_MODEL: {error:#}"))?;
        let wanted = config.language.as_deref();
        if let Some(language) = wanted
            && whisper_rs::get_lang_id(language).is_none()
        {
            return Err(eyre!("STT_LANGUAGE=\"{language}\" is no language that whisper knows; say auto, en, de, fr …"));
        }
        let english_only = !header.is_multilingual();
        if english_only && (config.translate || wanted != Some("en")) {
            return Err(eyre!(
                "{} knows English only: set STT_LANGUAGE=en and STT_TRANSLATE=off, or bring a multilingual model, such as ggml-base-q5_1.bin",
                path.display()
            ));
        }
        let wrong =
            |error: &dyn std::fmt::Display| eyre!("{} cannot be opened by whisper.cpp: {error}", path.display());
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|error| wrong(&error))?;
        let state = context.create_state().map_err(|error| wrong(&error))?;
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if config.threads == 0 { (cores / 2).clamp(1, 8) } else { config.threads };
        let seconds = header.positions / 50;
        let text = format!(
            "{}, whisper.cpp {}, {seconds} s at a time, {threads} threads, beam size {}",
            path.display(),
            whisper_rs::get_whisper_version(),
            config.beam_size
        );
        let (threads, beam_size) = (i32::try_from(threads).unwrap_or(1), i32::try_from(config.beam_size).unwrap_or(1));
        let (language, translate) = (config.language.clone(), config.translate);
        Ok(Self { context, state, header, language, translate, beam_size, threads, text })
    }
}

impl Whisper {
    /// The probability of "nobody speaks" behind the token that begins a transcript, as in whisper's `decoding.py`, over what the
    /// encoder has heard last.
    ///
    /// whisper.cpp 1.8.3 has one of its own, but of no use: it is taken from the logits of the prompt's first token, and only
    /// those of the last one are computed (`whisper_full_with_state`, `whisper_batch_prep_legacy`).
    fn no_speech(&mut self) -> Result<f32> {
        let threads = usize::try_from(self.threads)?;
        let failed = |error| eyre!("whisper.cpp: {error}");
        self.state.decode(&[self.context.token_sot()], 0, threads).map_err(failed)?;
        let logits = self.state.get_logits().map_err(failed)?;
        let of = usize::try_from(self.context.token_nosp())?;
        Ok(softmax_of(logits, of))
    }
}

impl Transcriber for Whisper {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn hear(&mut self, samples: &[f32]) -> Result<Heard> {
        let end = self.context.token_eot();
        let (mut heard, mut sum, mut count) = (Heard::default(), 0.0, 0_u32);
        for piece in pieces(samples, usize::try_from(self.header.positions)?) {
            let mut parameters = parameters(piece.samples.len(), piece.positions, self.beam_size);
            parameters.set_n_threads(self.threads);
            parameters.set_language(Some(self.language.as_deref().unwrap_or("auto")));
            parameters.set_translate(self.translate);
            self.state.full(parameters, &piece.samples).map_err(|error| eyre!("whisper.cpp: {error}"))?;
            for segment in self.state.as_iter() {
                heard.text.push_str(&segment.to_str_lossy()?);
                heard.text.push(' ');
                for index in 0..segment.n_tokens() {
                    let Some(token) = segment.get_token(index) else { continue };
                    // Words and the end count; what else there is has no probability of its own.
                    if token.token_id() <= end {
                        sum += f64::from(token.token_data().plog);
                        count += 1;
                        heard.tokens += usize::from(token.token_id() < end);
                    }
                }
            }
            heard.no_speech = heard.no_speech.max(self.no_speech()?);
        }
        heard.log_probability = if count > 0 { (sum / f64::from(count)) as f32 } else { 0.0 };
        Ok(heard)
    }
}

/// The softmax of one of the logits; 0 where there is none of that number.
fn softmax_of(logits: &[f32], of: usize) -> f32 {
    let Some(logit) = logits.get(of) else { return 0.0 };
    let sum: f32 = logits.iter().map(|other| (other - logit).exp()).sum();
    1.0 / sum
}

/// How a piece of so many samples is written down, the encoder working on so many positions.
fn parameters<'a>(samples: usize, positions: usize, beam_size: i32) -> FullParams<'a, 'static> {
    let mut parameters = FullParams::new(if beam_size > 1 {
        SamplingStrategy::BeamSearch { beam_size, patience: -1.0 }
    } else {
        SamplingStrategy::Greedy { best_of: 1 }
    });
    parameters.set_audio_ctx(i32::try_from(positions).unwrap_or(0));
    let tokens = samples * TOKENS_A_SECOND / stt::hear::RATE_HZ + TOKENS_BESIDE;
    parameters.set_max_tokens(i32::try_from(tokens).unwrap_or(0));
    // One try: a doubtful transcript is refused, not guessed again at higher temperatures, which takes seconds.
    parameters.set_temperature(0.0);
    parameters.set_temperature_inc(0.0);
    parameters.set_no_context(true);
    parameters.set_single_segment(true);
    parameters.set_no_timestamps(true);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    // The gates are ours: whisper.cpp's own would drop the text without a word.
    parameters.set_no_speech_thold(2.0);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_special(false);
    parameters.set_print_timestamps(false);
    parameters
}
