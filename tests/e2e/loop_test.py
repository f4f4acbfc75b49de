"""The whole journey with real processes: a first model, a better one by delta, silence, no cloud."""

import unittest

from stage import Stage, poll


class Loop(Stage):
    def test_a_better_model_arrives_by_delta_and_uploads_stop(self):
        self.start_cloud(first=400, more=4000)
        self.cloud.start_trainer()
        self.start_fleet()

        self.show_and_wait(400)
        self.wait_release(1)
        self.show_and_wait(4000)
        self.wait_release(2)

        first, second = sorted(self.cloud.releases(), key=lambda r: r["seq"])
        self.assertGreater(second["value"], first["value"])
        self.assertEqual([d["base"] for d in second["deltas"]], [first["model"]])
        self.assertLess(second["deltas"][0]["bytes"], second["full_bytes"])
        # A device runs the release a moment before it has told the cloud so.
        outcomes = poll(lambda: self.outcomes_of(2))
        self.assertTrue(outcomes and all(o["by_delta"] for o in outcomes), outcomes)
        self.assertEqual(self.rows_in_cloud(), 4400)

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
        self.start_cloud(first=400, more=4000)
        self.cloud.start_trainer()
        self.start_fleet()
        self.show_and_wait(400)
        self.wait_release(1)
        self.show_and_wait(4000)
        self.wait_release(2)

        self.cloud.ask("release", "rollback", "digits", "--to", "1", "--reason", "a test")
        self.wait_release(3)
        models = {r["seq"]: r["model"] for r in self.cloud.releases()}
        self.assertEqual(models[3], models[1])


if __name__ == "__main__":
    unittest.main()
