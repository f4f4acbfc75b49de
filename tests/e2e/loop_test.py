"""The whole journey with real processes: a first model, a better one by delta, silence, no cloud."""

import unittest

from stage import Stage, poll  # first: it says where the demo's modules are

from mnist import Digits

FIRST, MORE, GOAL = 400, 4000, 0.85


def badly_labelled(digits: Digits, count: int) -> Digits:
    """Every fourth of the first labels is wrong: no model of them reaches the goal, and with ten times the rows every
    model does. Were it left to how little 400 digits teach, chance would let the first one reach it now and then."""
    labels = bytearray(digits.labels)
    for row in range(0, count, 4):
        labels[row] = (labels[row] + 1) % 10
    return Digits(digits.images, bytes(labels))


class Loop(Stage):
    def setUp(self):
        super().setUp()
        self.digits = badly_labelled(self.digits, FIRST)

    def test_a_better_model_arrives_by_delta_and_uploads_stop(self):
        self.start_cloud(first=FIRST, more=MORE, goal=GOAL)
        self.cloud.start_trainer()
        self.start_fleet()

        self.show_and_wait(FIRST)
        self.wait_release(1)
        self.show_and_wait(MORE)
        self.wait_release(2)

        first, second = sorted(self.cloud.releases(), key=lambda r: r["seq"])
        self.assertGreater(second["value"], first["value"])
        self.assertEqual([d["base"] for d in second["deltas"]], [first["model"]])
        self.assertLess(second["deltas"][0]["bytes"], second["full_bytes"])
        # A device runs the release a moment before it has told the cloud so.
        outcomes = poll(lambda: self.outcomes_of(2))
        self.assertTrue(outcomes and all(o["by_delta"] for o in outcomes), outcomes)
        self.assertEqual(self.rows_in_cloud(), FIRST + MORE)

        # The goal is met: nothing more leaves a device, and every digit is answered.
        self.assertTrue(self.cloud.status()["goal_met"])
        uploaded = self.fleet.total("uploaded_bytes")
        self.show_and_wait(400)
        self.assertEqual(self.fleet.unanswered(), 0)
        self.cloud.stop()
        self.show_and_wait(400)
        self.assertEqual(self.fleet.unanswered(), 0)
        answered, right = self.fleet.correct(2)
        self.assertEqual(answered, 400)
        self.assertGreater(right, 320)
        self.assertEqual(self.fleet.total("uploaded_bytes"), uploaded)

    def outcomes_of(self, release: int):
        """What the devices report of a release, once all of them have."""
        outcomes = [d["last_outcome"] for d in self.cloud.ask("device", "list")["devices"]]
        return outcomes if all(o["release"] == release for o in outcomes) else None

    def test_a_rollback_is_a_higher_release_that_names_the_older_file(self):
        self.start_cloud(first=FIRST, more=MORE, goal=GOAL)
        self.cloud.start_trainer()
        self.start_fleet()
        self.show_and_wait(FIRST)
        self.wait_release(1)
        self.show_and_wait(MORE)
        self.wait_release(2)

        self.cloud.ask("release", "rollback", "digits", "--to", "1", "--reason", "a test")
        self.wait_release(3)
        models = {r["seq"]: r["model"] for r in self.cloud.releases()}
        self.assertEqual(models[3], models[1])


if __name__ == "__main__":
    unittest.main()
