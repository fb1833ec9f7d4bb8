//! llama.cpp.

use eyre::{Result, ensure, eyre};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use rephrase::answer::{Answer, MOST_TOKENS, Model, grammar};
use rephrase::config::Config;
use rephrase::gguf;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::OnceLock;
use std::thread::available_parallelism;
use std::time::Instant;

/// Tokens that are looked back on, at most: instructions, wish and answer. More would be memory for nothing.
const MOST_CONTEXT: u64 = 2048;
/// Tokens that are read at once: between two of these it is seen that it takes too long.
const BITE: usize = 32;

/// llama.cpp itself, set up once.
static BACKEND: OnceLock<LlamaBackend> = OnceLock::new();

/// A language model that runs.
pub struct Llama {
    model: &'static LlamaModel,
    context: LlamaContext<'static>,
    template: LlamaChatTemplate,
    /// What the context has read so far: what the next conversation has in common with it is not read again.
    read: Vec<LlamaToken>,
    room: usize,
    temperature: f32,
    text: String,
}

impl Llama {
    /// Opens the model, after its file was checked.
    ///
    /// # Errors
    /// A file that is no language model; no memory.
    pub fn open(config: &Config) -> Result<Self> {
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
        let path: &Path = config.model.as_deref().unwrap_or(Path::new(""));
        let description = gguf::check(path).map_err(|error| eyre!("REPHRASE_MODEL: {error:#}"))?;
        let wrong = |error: &dyn std::fmt::Display| eyre!("{} cannot be opened by llama.cpp: {error}", path.display());
        let backend = match BACKEND.get() {
            Some(backend) => backend,
            None => {
                let backend = LlamaBackend::init().map_err(|error| wrong(&error))?;
                BACKEND.get_or_init(|| backend)
            }
        };
        let layers = if backend.supports_gpu_offload() { u32::MAX >> 1 } else { 0 };
        let parameters = LlamaModelParams::default().with_n_gpu_layers(layers);
        let model = LlamaModel::load_from_file(backend, path, &parameters).map_err(|error| wrong(&error))?;
        // It lives as long as the process: a context borrows from its model, and the node has one of each.
        let model: &'static LlamaModel = Box::leak(Box::new(model));
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if config.threads == 0 { (cores / 2).clamp(1, 8) } else { config.threads };
        let room = u32::try_from(description.context.min(MOST_CONTEXT))?;
        let threads_i32 = i32::try_from(threads)?;
        let parameters = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(room))
            .with_n_batch(BITE as u32)
            .with_n_ubatch(BITE as u32)
            .with_n_threads(threads_i32)
            .with_n_threads_batch(threads_i32);
        let context = model.new_context(backend, parameters).map_err(|error| wrong(&error))?;
        let (template, form) = template(model)?;
        let text = format!(
            "{} ({}), llama.cpp, conversation {form}, {threads} threads",
            path.display(),
            description.architecture
        );
        let room = room as usize;
        Ok(Self { model, context, template, read: Vec::new(), room, temperature: config.temperature, text })
    }

    /// The conversation as tokens: instructions, if any, and what was said; the answer is to follow.
    fn conversation(&self, instructions: &str, said: &str) -> Result<Vec<LlamaToken>> {
        let message = |role: &str, text: &str| LlamaChatMessage::new(role.to_owned(), text.replace('\0', " "));
        let mut messages = Vec::new();
        if !instructions.is_empty() {
            messages.push(message("system", instructions)?);
        }
        messages.push(message("user", said)?);
        let text = self.model.apply_chat_template(&self.template, &messages, true)?;
        Ok(self.model.vocab().tokenize(text.as_bytes(), true, true))
    }

    /// Lets the context read a conversation, as far as it has not. `false`: it took too long.
    fn read(&mut self, tokens: &[LlamaToken], until: Option<Instant>) -> Result<bool> {
        let same = self.read.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        // The last one is always read: the answer follows from it.
        let same = same.min(tokens.len().saturating_sub(1));
        self.forget(same)?;
        let mut batch = LlamaBatch::new(BITE, 1);
        for bite in tokens[same..].chunks(BITE) {
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(false);
            }
            batch.clear();
            for (index, token) in bite.iter().enumerate() {
                batch.add(*token, i32::try_from(self.read.len() + index)?, &[0], index + 1 == bite.len())?;
            }
            if let Err(error) = self.context.decode(&mut batch) {
                // What it holds now is not known.
                self.forget(0)?;
                return Err(eyre!("llama.cpp cannot read the wish: {error}"));
            }
            self.read.extend_from_slice(bite);
        }
        Ok(true)
    }

    /// Forgets all but the first tokens.
    fn forget(&mut self, but: usize) -> Result<()> {
        if but < self.read.len() {
            if !self.context.clear_kv_cache_seq(Some(0), Some(u32::try_from(but)?), None)? {
                // A recurrent model cannot go back a part of the way.
                self.context.clear_kv_cache();
                self.read.clear();
                return Ok(());
            }
            self.read.truncate(but);
        }
        Ok(())
    }

    /// The next token that the grammar allows: the likeliest, or one by chance.
    fn next(&mut self, bounds: &mut LlamaSampler, chance: &mut LlamaSampler) -> Result<LlamaToken> {
        let mut all: LlamaTokenDataArray = self.context.token_data_array();
        all.apply_sampler(chance);
        let first = all.selected_token().ok_or_else(|| eyre!("the model has no next word"))?;
        // Most of the time that one is allowed: asking for it alone spares looking at the whole vocabulary.
        let alone = all.data.iter().filter(|data| data.id() == first).copied();
        let alone = LlamaTokenDataArray::from_iter(alone, false).with_sampler(bounds);
        if alone.data.first().is_some_and(|data| data.logit().is_finite()) {
            return Ok(first);
        }
        let mut all = self.context.token_data_array();
        all.apply_sampler(bounds);
        ensure!(all.data.iter().any(|data| data.logit().is_finite()), "the model has no word that is allowed");
        all.apply_sampler(chance);
        all.selected_token().ok_or_else(|| eyre!("the model has no next word"))
    }
}

/// The model's own way to write a conversation, if llama.cpp knows it; else ChatML.
fn template(model: &LlamaModel) -> Result<(LlamaChatTemplate, &'static str)> {
    let chatml = LlamaChatTemplate::new("chatml")?;
    let Ok(own) = model.chat_template(None) else { return Ok((chatml, "as ChatML: the model names none")) };
    let trial = [LlamaChatMessage::new("user".to_owned(), "hello".to_owned())?];
    if model.apply_chat_template(&own, &trial, true).is_ok() {
        return Ok((own, "as the model says"));
    }
    Ok((chatml, "as ChatML: the model's own is not known to llama.cpp"))
}

impl Model for Llama {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn prepare(&mut self, instructions: &str) -> Result<()> {
        let tokens = self.conversation(instructions, "hello")?;
        let free = self.room.saturating_sub(tokens.len());
        ensure!(
            free >= MOST_TOKENS,
            "the instructions have {} tokens and the model takes {}: shorten them, or set REPHRASE_SYSTEM=none",
            tokens.len(),
            self.room
        );
        self.read(&tokens, None).map(drop)
    }

    fn answer(&mut self, instructions: &str, said: &str, until: Instant) -> Result<Answer> {
        let tokens = self.conversation(instructions, said)?;
        ensure!(
            tokens.len() < self.room,
            "the wish is too long for the model: {} tokens, it takes {}",
            tokens.len(),
            self.room
        );
        if !self.read(&tokens, Some(until))? {
            return Ok(Answer::Late);
        }
        let mut bounds = LlamaSampler::grammar(self.model, &grammar(), "root")
            .map_err(|error| eyre!("the grammar of answers: {error}"))?;
        let mut chance = if self.temperature > 0.0 {
            LlamaSampler::chain_simple([
                LlamaSampler::top_p(0.95, 1),
                LlamaSampler::temp(self.temperature),
                LlamaSampler::dist(fresh()),
            ])
        } else {
            LlamaSampler::greedy()
        };
        let mut words = Vec::new();
        for _ in 0..MOST_TOKENS.min(self.room - tokens.len()) {
            let token = self.next(&mut bounds, &mut chance)?;
            if self.model.vocab().is_eog(token) {
                break;
            }
            bounds.accept(token);
            words.extend(self.model.vocab().token_to_piece(token, false, None));
            if Instant::now() >= until {
                return Ok(Answer::Late);
            }
            let mut batch = LlamaBatch::new(1, 1);
            batch.add(token, i32::try_from(self.read.len())?, &[0], true)?;
            self.context.decode(&mut batch).map_err(|error| eyre!("llama.cpp: {error}"))?;
            self.read.push(token);
        }
        Ok(Answer::Words(String::from_utf8_lossy(&words).into_owned()))
    }
}

/// A number that is another one every time.
fn fresh() -> u32 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}
