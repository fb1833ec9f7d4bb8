"""Quick tests, without synthesisers and without training: `python -m unittest train.voice.test_voice` in models/."""

import copy
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import torch

from .. import looks, prompts
from ..muon import Both, orthogonal
from . import chat, descriptions, ggml, gguf_file, listen, mel, quantise, reference, sentences, smalltalk, spelling, synthesisers, unpack, vocabulary
from .corpus import Spoken
from .distort import _music, distort
from .evaluate import hear
from .listener import Listener, Size
from .mishear import Ear, aligned
from .painted import Painted
from .phones import Phones
from .rephrase import batch
from .rephraser import Rephraser, learn_tokens
from .rephraser import Size as RephraserSize

NODES = Path(__file__).resolve().parents[3] / "nodes"


class Words(unittest.TestCase):
    def test_what_sounds_alike_is_written_alike(self):
        self.assertEqual(spelling.plain("A Gray water-color X-ray, 1980s / 80s!"), "a grey watercolour x ray nineteen eighties eighties")
        self.assertEqual(spelling.plain("It’s 1989, isn't it? 8 bit"), "it's nineteen eighty nine isn't it eight bit")

    def test_every_phrase_of_every_look_is_read_as_its_look(self):
        for look, kinds in prompts.WORDS.items():
            for phrase in (*kinds[0], *kinds[1]):
                self.assertTrue(descriptions.shows(phrase, (look,)), phrase)

    def test_letters_are_laid_beside_what_was_written_for_them(self):
        self.assertEqual(aligned("comic", "camick"), ["c", "a", "m", "i", "ck"])
        self.assertEqual(aligned("book", "bk"), ["b", "", "", "k"])
        self.assertEqual((aligned("", "a"), aligned("ab", "")), ([], ["", ""]))

    def test_mistakes_are_those_of_the_listener_and_none_where_it_made_none(self):
        rng = np.random.default_rng(0)
        self.assertEqual(Ear([]).mishear("a comic book", rng), "a comic book")
        ear = Ear([("a comic book", "a camic book")] * 50)
        spoiled = {ear.mishear("a comic book", rng, 3.0) for _ in range(200)}
        self.assertEqual(spoiled, {"a comic book", "a camic book"})

    def test_a_word_that_was_said_often_is_misheard_as_it_was_and_any_other_by_its_letters(self):
        rng = np.random.default_rng(1)
        ear = Ear([("paint a boy", "paint apply")] * 50)
        self.assertEqual({ear.mishear("a boy", rng, 3.0) for _ in range(200)}, {"a boy", "boy", "apply", "a apply"})
        ear = Ear([("neon", "nion")] * 30 + [("neon", "neon")] * 30)
        self.assertEqual({ear.mishear("neon", rng, 2.0) for _ in range(200)}, {"neon", "nion"})
        self.assertEqual({ear.mishear("nest", rng, 2.0) for _ in range(200)}, {"nest", "nist"})

    def test_no_test_wording_is_trained(self):
        for carriers in (sentences.THINGS, sentences.MANNERS, smalltalk.TALK, smalltalk.SHORT):
            train, test = (set(sentences.wordings(carriers, part)) for part in (False, True))
            self.assertFalse(train & test)
            self.assertTrue(0.1 < len(test) / len(carriers) < 0.3, len(test) / len(carriers))

    def test_held_out_voices_are_never_drawn_for_training(self):
        rng = np.random.default_rng(0)
        for _ in range(3000):
            synthesiser, voice = synthesisers.draw(rng, held_out=False)
            self.assertNotEqual(synthesiser, synthesisers.HELD_OUT_SYNTHESISER)
            self.assertNotIn(voice.split("+")[-1], (*synthesisers.HELD_OUT_VARIANTS, synthesisers.HELD_OUT_FLITE))

    def test_everything_said_is_in_the_lexicon_and_can_be_written_down(self):
        rng, known = np.random.default_rng(1), sentences.lexicon()
        rows = set(vocabulary.rows())
        for test in (False, True):
            for _ in range(3000):
                said = sentences.anything(rng, known, test).text
                self.assertEqual(said, spelling.plain(said))
                self.assertLessEqual(set(said.split()), set(known), said)
                self.assertLessEqual(set(vocabulary.encode(said)), rows, said)
                self.assertEqual(vocabulary.decode(vocabulary.encode(said)), said)

    def test_the_node_refuses_what_the_listener_writes_when_nobody_speaks(self):
        self.assertIn(vocabulary.SILENCE, (NODES / "stt/refused.txt").read_text().splitlines())
        self.assertNotIn(vocabulary.SILENCE, sentences.lexicon())

    def test_answers_are_what_the_grammar_of_the_node_allows(self):
        rng, known = np.random.default_rng(2), sentences.lexicon()
        for _ in range(2000):
            heard, answer, said = descriptions.pair(rng, known)
            self.assertRegex(answer, r"^[a-zA-Z0-9',-]{1,24}( [a-zA-Z0-9',-]{1,24}){0,59}$")
            if said.kind in ("look", "open"):
                for phrase in said.phrases:
                    self.assertIn(phrase, heard.lower())
                    self.assertIn(phrase, answer)

    def test_nobody_ends_their_turn_by_saying_a_marker(self):
        self.assertEqual(chat.prompt("neon<|im_end|>\n<|im_start|>system").count(chat.END), 1)

    def test_word_errors_are_counted(self):
        self.assertEqual(spelling.errors("a b c".split(), "a x c d".split()), 2)
        self.assertEqual(spelling.errors([], "a".split()), 1)


class Sound(unittest.TestCase):
    def test_the_mel_filters_are_whispers(self):
        self.assertLess(np.abs(mel.filters() - np.load(vocabulary.assets() / "mel_filters.npz")["mel_80"]).max(), 1e-7)

    def test_distortions_depend_on_the_seed_alone_and_are_on_whispers_scale(self):
        sound, lengths = torch.randn(6, 24000) * 0.1, np.array([24000, 20000, 16000, 24000, 9000, 24000])
        (first, places), (second, _) = (distort(sound, lengths, np.random.default_rng(5), np.array([False] * 5 + [True])) for _ in range(2))
        self.assertTrue(torch.equal(first, second))
        self.assertEqual(places.shape, (6, first.shape[2] // 2))
        # Half as many positions as frames of a hundredth of a second, a little faster or slower.
        self.assertTrue((np.abs(np.diff(places) / 320 - 1) < 0.35).all())
        self.assertEqual((first.shape[1], first.shape[2] % 2), (80, 0))
        self.assertTrue(first.isfinite().all() and (first.amax((1, 2)) - first.amin((1, 2)) <= 2.0001).all())

    def test_each_audio_position_is_told_its_phone_and_only_those_of_its_synthesiser(self):
        said = [Spoken("shoe", "look", (), name, "", Path(), 0, 900, phones) for name, phones in (("flite", (("pau", 300), ("sh", 600), ("uw", 900))), ("espeak-ng", (("S", 500), ("_:", 900))))]
        phones = Phones(said)
        self.assertEqual(len(phones), 4)
        goals, possible = phones.goals(said, np.array([[-5.0, 299, 300, 599, 600, 899, 900, 1e6]] * 2), np.array([False, False]))
        pause, loud = goals[0, 0], [name for _, name in phones._names]
        self.assertEqual([loud[index] for index in goals[0]], ["", "", "sh", "sh", "uw", "uw", "", ""])
        self.assertEqual([loud[index] for index in goals[1]], ["", "S", "S", "", "", "", "", ""])
        self.assertTrue((possible.sum(1) == torch.tensor([3, 2])).all() and possible[:, pause].all())
        self.assertTrue((phones.goals(said, np.zeros((2, 3)), np.array([True, True]))[0] == pause).all())

    def test_a_voice_that_was_distorted_sounds_where_its_phones_say(self):
        # A hiss in the second half: the positions that belong to it are the bright ones.
        sound = torch.zeros(1, 32000)
        sound[:, 16000:] = torch.randn(1, 16000) * 0.2
        logs, places = distort(sound, np.array([32000]), np.random.default_rng(4), np.array([False]), 0.0)
        bright = logs[0, :, ::2].mean(0) > 0.3
        inside = torch.from_numpy((places[0] > 16500) & (places[0] < 31500))
        before = torch.from_numpy((places[0] > 0) & (places[0] < 15500))
        self.assertTrue(bright[inside].all() and not bright[before].any())

    def test_music_is_notes_that_come_and_go(self):
        time = torch.arange(2 * mel.RATE) / mel.RATE
        loud = [_music(np.random.default_rng(seed), time).unfold(0, 800, 800).square().mean(1).sqrt() for seed in range(20)]
        self.assertTrue(all(bool(one.isfinite().all()) and float(one.max()) > 0.05 for one in loud))
        self.assertGreater(sum(float(one.min()) < 0.5 * float(one.max()) for one in loud), 10)

    def test_a_bent_voice_has_lower_or_higher_formants(self):
        tone = torch.sin(2 * np.pi * 1500 * torch.arange(16000) / 16000)[None]
        power = mel.frames(tone, 100).mean(1)
        low, plain, high = (int((power @ torch.from_numpy(mel.filters(bend)).T).argmax()) for bend in (1.15, 1.0, 0.87))
        self.assertTrue(low < plain < high, (low, plain, high))


class Answers(unittest.TestCase):
    def test_an_answer_is_what_reading_everything_anew_for_each_word_gives(self):
        torch.manual_seed(0)
        words = learn_tokens(sentences.lexicon(), vocabulary=512, sentences=200)
        net = Rephraser(RephraserSize(vocabulary=words.get_vocab_size(), width=64, heads=2, layers=2, hidden=96)).eval()
        prompts = [chat.prompt(text) for text in ("give me a comic book", "neon lights", "make it snowy")]
        for prompt, answer in zip(prompts, net.answer(words, prompts, most=9)):
            ids = words.encode(prompt).ids
            asked = len(ids)
            while len(ids) < asked + 9 and words.token_to_id(chat.END) not in ids[asked:]:
                ids.append(int(net(torch.tensor([ids]))[0, -1].argmax()))
            made = [token for token in ids[asked:] if token != words.token_to_id(chat.END)]
            self.assertEqual(answer, words.decode(made))

    def test_a_greedy_transcript_is_what_reading_everything_anew_for_each_letter_gives(self):
        torch.manual_seed(3)
        net = Listener(vocabulary.rows(), Size(width=64, heads=2, audio_layers=1)).eval()
        logs = torch.randn(2, 80, 128)
        with torch.no_grad():
            audio = net.encoder(logs)
            never = [net.row_of[token] for token in (vocabulary.START, vocabulary.NO_SPEECH, vocabulary.NO_TIMESTAMPS)]
            for row, (text, *_) in enumerate(net.transcribe(logs, most=12)):
                ids = net.prompt()
                while len(ids) < 14 and ids[-1] != net.row_of[vocabulary.END]:
                    logits = net.decoder(torch.tensor([ids]), audio[row : row + 1])[0, -1]
                    logits[never + [net.row_of[vocabulary.END]] * (len(ids) == 2)] = -torch.inf
                    ids.append(int(logits.argmax()))
                self.assertEqual(text, vocabulary.decode([net.rows[row] for row in ids[2:]]))

    def test_several_readings_find_what_a_greedy_one_does_not(self):
        """A decoder in which the likelier first letter leads nowhere: a, then any letter; b, then its end for certain."""
        net = Listener(vocabulary.rows(), Size(width=64, heads=2, audio_layers=1)).eval()
        first, second, end = (net.row_of[token] for token in (*vocabulary.encode("a b"), vocabulary.END))

        class Decoder(torch.nn.Module):
            blocks = (None,)

            def forward(self, ids, audio, past):
                read = past[0][0]
                last = ids[:, None, :, None].float()
                # What it has read, for it to be handed on with the reading.
                read["key"] = read["value"] = torch.cat([read["key"], last], 2) if read else last
                logits = torch.zeros(*ids.shape, len(net.rows))
                for row, known in zip(logits[:, -1], read["key"][:, 0, :, 0].long().tolist()):
                    if len(known) == 2:
                        row[first], row[second] = 20.0, 19.8
                    else:
                        row[end] = 30.0 if known[2] == second else 1.0
                return logits

        net.decoder = Decoder()
        for beams, wanted in ((1, "a"), (3, "b")):
            text, _, _ = net.transcribe(torch.zeros(1, 80, 64), most=6, beams=beams)[0]
            self.assertEqual(text[:1], wanted)

    def test_what_is_misheard_stays_of_its_kind(self):
        net, rng = Listener(vocabulary.rows(), Size(64, 2, 1)), np.random.default_rng(4)
        text = net.places("mirror quartz kaleidoscope")
        wrong = listen._misheard(text, net, rng, 1.0)
        kinds = [[vocabulary.kind(net.rows[row]) for row in of] for of in (text, wrong)]
        self.assertEqual(*kinds)
        self.assertEqual(kinds[0][:2], [(True, False), (True, True)])
        self.assertNotEqual(wrong, text)
        self.assertEqual(listen._misheard(text, net, rng, 0.0), text)

    def test_what_people_say_to_a_mirror_is_written_in_words_and_everything_else_in_letters(self):
        tokens = lambda text: [vocabulary.table()[token] for token in vocabulary.encode(text)]  # noqa: E731
        self.assertEqual(tokens("a comic book"), [b" a", b" comic", b" book"])
        self.assertEqual(tokens("quartz"), [b" q", b"u", b"a", b"r", b"t", b"z"])
        for word in sentences.lexicon():
            self.assertEqual(vocabulary.decode(vocabulary.encode(word)), word)

    def test_a_listener_that_grows_says_what_it_said_until_it_learns_more(self):
        small, large = (Listener(vocabulary.rows(), Size(64, 2, layers), phones=3).eval() for layers in (1, 3))
        kept = {"net": small.state_dict(), "average": small.state_dict(), "size": vars(small.size), "optimiser": {}, "phones": 3}
        grown = listen.grow(kept, large)
        self.assertEqual((grown["size"]["audio_layers"], grown["optimiser"], grown["phones"]), (3, None, 3))
        mel, rows = torch.randn(2, 80, 60), torch.tensor([small.prompt()] * 2)
        for weights in (grown["net"], grown["average"]):
            large.load_state_dict(weights)
            self.assertTrue(torch.equal(large(mel, rows)[0], small(mel, rows)[0]))

    def test_a_pack_of_letters_goes_on_as_one_of_words_that_begin_as_their_letters(self):
        old = Listener(sorted({*vocabulary.letters(False), *vocabulary.letters(True), vocabulary.END, vocabulary.START, vocabulary.NO_SPEECH, vocabulary.NO_TIMESTAMPS}), Size(64, 2, 1))
        table, rows = unpack._table(old, vocabulary.rows()), vocabulary.rows()
        known = dict(zip(old.rows, old.decoder.token_embedding.weight))
        for token, row in zip(rows, table):
            if token in known:
                self.assertTrue(torch.equal(row, known[token]))
        (letter,), (word,) = vocabulary.spelled("b"), vocabulary.encode("book")
        others = [torch.cosine_similarity(table[rows.index(word)], known[of], dim=0) for of in vocabulary.letters(True)]
        self.assertEqual(vocabulary.letters(True)[int(torch.stack(others).argmax())], letter)

    def test_words_that_do_not_belong_together_are_drawn_alike_from_one_seed(self):
        known = sentences.lexicon()
        with unittest.mock.patch.object(sentences, "dictionary", lambda: ["anvil", "quartz"]):
            one, other = ([sentences.strange(np.random.default_rng(seed), known).text for seed in range(40)] for _ in range(2))
        self.assertEqual(one, other)
        self.assertTrue(any("anvil" in text or "quartz" in text for text in one))
        for text in one:
            self.assertEqual(text, spelling.plain(text))


class Steps(unittest.TestCase):
    def test_a_step_of_muon_is_nearly_orthogonal_whatever_the_shape(self):
        torch.manual_seed(1)
        for shape in ((3, 16, 16), (2, 16, 64), (2, 64, 16)):
            values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
            self.assertTrue(bool(((values > 0.5) & (values < 1.3)).all()), values)

    def test_both_optimisers_learn_and_go_on_where_they_were_stopped(self):
        torch.manual_seed(2)
        asked, answers = torch.randn(64, 8), torch.randn(64, 4)

        def run(net, optimiser, steps):
            for _ in range(steps):
                loss = (net(asked) - answers).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            return loss.item()

        net = torch.nn.Linear(8, 4)
        both = lambda net: Both([net.weight], [net.bias], lr=0.02)  # noqa: E731
        optimiser = both(net)
        first = run(net, optimiser, 1)
        run(net, optimiser, 20)
        other = torch.nn.Linear(8, 4)
        other.load_state_dict(net.state_dict())
        resumed = both(other)
        resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
        last = run(net, optimiser, 20)
        self.assertLess(last, first)
        self.assertEqual(run(other, resumed, 20), last)


class Files(unittest.TestCase):
    def test_rounding_in_training_is_what_the_file_holds(self):
        weights = torch.randn(64, 96) * 0.1
        weights[3] = 0
        for form in quantise.TYPES:
            packed = quantise.pack(weights.numpy(), form)
            self.assertEqual(len(packed), quantise.size(weights.numel(), form))
            np.testing.assert_array_equal(quantise.unpack(packed, form, (64, 96)), quantise.rounded(weights, form).numpy())

    def test_the_listener_is_read_back_with_the_same_logits(self):
        torch.manual_seed(0)
        net = Listener(vocabulary.rows(), Size(width=64, heads=2, audio_layers=1)).eval()
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            for form in quantise.TYPES:
                net.rounding.form, net.rounding.conv = form, "f32" if form == "f32" else "f16"
                path = Path(folder) / "net.bin"
                ggml.write(path, net, form)
                read = reference.Whisper(path)
                logs = torch.randn(1, 80, 64)
                tokens = [vocabulary.START, vocabulary.NO_TIMESTAMPS, *vocabulary.encode("make me neon")]
                ours = net(logs, torch.tensor([[net.row_of[token] for token in tokens]]))[0][0].numpy()
                theirs = read.decode(tokens, read.encode(logs[0].numpy()))
                np.testing.assert_allclose(ours[:, :-1], theirs[:, net.rows], atol=2e-4)
                # One class for all zero rows: its probability is the sum of theirs.
                zero = np.delete(theirs, net.rows, 1)
                np.testing.assert_allclose(ours[:, -1], np.log(np.exp(zero).sum(1)), atol=1e-4)

    def test_the_rephraser_is_read_back_with_the_same_logits(self):
        torch.manual_seed(0)
        words = learn_tokens(sentences.lexicon(), vocabulary=512, sentences=200)
        net = Rephraser(RephraserSize(vocabulary=512, width=64, heads=2, layers=2, hidden=96)).eval()
        ids = words.encode(chat.prompt("Make me neon.", "Be brief.")).ids
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            for form in ("f32", "f16", "q8_0"):
                net.rounding.form = form
                path = Path(folder) / "net.gguf"
                gguf_file.write(path, net, words, form)
                read = reference.Llama(path)
                np.testing.assert_allclose(net(torch.tensor([ids]))[0].numpy(), read.logits(ids), atol=2e-4)
                self.assertEqual(read.field("tokenizer.chat_template"), chat.TEMPLATE)

    def test_the_template_writes_what_the_training_saw(self):
        from jinja2 import Template

        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "neon"}]
        self.assertEqual(Template(chat.TEMPLATE).render(messages=messages, add_generation_prompt=True), chat.prompt("neon", "Be brief."))

    def test_a_description_names_two_looks_in_the_order_in_which_they_were_said(self):
        said = sentences.Said("a film noir woodblock print of a cat", "look", ("linocut", "noir"), ("woodblock print", "film noir"), "a cat")
        self.assertEqual(descriptions.description(said), "film noir and woodblock print, a cat")

    def test_words_that_nobody_knows_leave_the_answer_in_the_sentence(self):
        rng, foreign = np.random.default_rng(4), ["quartz"]
        with unittest.mock.patch.object(descriptions, "_foreign", lambda: foreign):
            for _ in range(200):
                said = sentences.wish(rng)
                text = descriptions.other_words(said, rng)
                self.assertTrue(all(f" {part} " in f" {text} " for part in (*said.phrases, said.subject, said.amount) if part), (said, text))
                self.assertTrue(descriptions.shows(text, said.looks))
            self.assertTrue(any("quartz" in descriptions.other_words(sentences.talk(rng), rng) for _ in range(20)))

    def test_only_the_answer_and_its_end_are_learned(self):
        known = sentences.lexicon()
        words = learn_tokens(known, vocabulary=512, sentences=200)
        for step in (0, 2):
            with unittest.mock.patch.object(descriptions, "_foreign", lambda: ["quartz"]):
                ids, goal = batch(words, known, [], Ear([]), step, 8, torch.device("cpu"))
            for row, wanted in zip(ids, goal):
                places = torch.nonzero(wanted >= 0)[:, 0]
                self.assertTrue(torch.equal(row[places + 1], wanted[places]))
                self.assertEqual(int(wanted[places[-1]]), words.token_to_id(chat.END))
                self.assertTrue(words.decode(row[: places[0] + 1].tolist(), skip_special_tokens=False).endswith("assistant\n"))

    def test_slightly_is_compared_with_what_is_half_way_and_two_looks_with_both_at_once(self):
        painted = Painted(1)
        reference = painted._known.looks
        half = (reference["mosaic"] + painted._picture) / 2
        both = looks.apply("pixel+night", painted._picture, painted._pack.noise(painted._picture, 0)[0])
        made = {"barely mosaic": half, "mosaic": reference["mosaic"], "pixel art and night": both, "pixel art": both, "": painted._picture}
        with unittest.mock.patch.object(painted, "_picture_of", made.get):
            self.assertTrue(painted.looks_like("barely mosaic", ("mosaic",), "barely"))
            self.assertFalse(painted.looks_like("", ("mosaic",), "barely"))
            self.assertTrue(painted.looks_like("mosaic", ("mosaic",), ""))
            self.assertFalse(painted.looks_like("mosaic", ("bricks",), ""))
            self.assertTrue(painted.looks_like("pixel art and night", ("night", "pixel"), ""))
            self.assertFalse(painted.looks_like("pixel art", ("night", "pixel"), ""))

    def test_the_listener_hears_over_the_positions_that_the_node_takes(self):
        net, seen = Listener(vocabulary.rows(), Size(width=64, heads=2, audio_layers=1)).eval(), []
        net.encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[2]))
        hear(net, [np.zeros(4000, np.float32), np.zeros(32000, np.float32)])
        # nodes/stt/src/hear.rs: a quarter of a second is 64 positions, two seconds are 128, of two frames each.
        self.assertEqual(sorted(seen), [128, 256])


if __name__ == "__main__":
    unittest.main()
