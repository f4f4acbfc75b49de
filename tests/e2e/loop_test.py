"""The whole journey with real processes: a first model, a better one by delta, silence, no cloud."""

import unittest

from stage import Stage


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
        devices = self.cloud.ask("device", "list")["devices"]
        self.assertTrue(all(d["last_outcome"]["by_delta"] for d in devices), devices)
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
