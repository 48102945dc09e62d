using System.Globalization;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

/// <summary>A database of an earlier release, and one of a later.</summary>
public sealed class MigrationTests
{
    [Fact]
    public async Task Earlier_tables_get_what_is_missing_once_and_later_ones_are_refused()
    {
        string folder = Directory.CreateTempSubdirectory("sketch-migrations-").FullName;
        try
        {
            await using ClickHouseProcess process = await StartAsync(folder);
            using Sql sql = new(process, writer: true);
            await sql.AskAsync("CREATE FUNCTION sketchDistinct AS (registers, precision) -> 0.");
            foreach (string statement in StoreSchema.Tables)
            {
                await sql.AskAsync(statement);
            }

            // One window is whole; of another the process only stored the deltas before it died.
            LogIdentity log = NewLog();
            ulong a = CounterId.Of("old", "a");
            long hour = Today / 1000;
            await sql.AskAsync($"INSERT INTO counter_rows VALUES ('old', 'a', {a}, 'sum', 'strong', {{}}, 1, 0, 0)");
            foreach ((int to, int delta, string tables) in new[] { (10, 5, "deltas hourly_rows total_rows checkpoints"), (20, 3, "deltas") })
            {
                foreach (string table in tables.Split(' '))
                {
                    string values = string.Create(CultureInfo.InvariantCulture, $"{log.Number}, {log.Incarnation}, {to - 9}, {to}");
                    await sql.AskAsync(table switch
                    {
                        "deltas" => $"INSERT INTO deltas VALUES ({values}, 0, {hour}, 'old', {a}, {delta})",
                        "checkpoints" => $"INSERT INTO checkpoints VALUES ({values}, {hour}, {hour}, 1, 1, {hour})",
                        "hourly_rows" => $"INSERT INTO hourly_rows VALUES ('old', {a}, {hour}, {delta}, 30)",
                        _ => $"INSERT INTO total_rows (namespace, id, value) VALUES ('old', {a}, {delta})",
                    });
                }
            }

            await using (ClickHouseStore store = await OpenAsync(process))
            {
                Assert.Equal("5", await sql.AskAsync("SELECT value FROM history_daily WHERE namespace = 'old'"));
                Assert.Equal(10, (await store.LastAsync(log, default)).Position);
                Checkpoint window = Window(log, 11, 20, [("old", "a", 3)], timeMs: hour * 1000);
                await store.StoreAsync(window, default);
                await store.StoreAsync(window, default);
            }

            foreach (string view in new[] { "history_daily", "history_hourly", "totals", "history_monthly" })
            {
                Assert.Equal("8", await sql.AskAsync($"SELECT value FROM {view} WHERE namespace = 'old'"));
            }

            await using (ClickHouseStore again = await OpenAsync(process))
            {
                Assert.Equal("1\ttables\n2\tdays\n3\thours of distinct elements\n4\tmerges of ten parts", await sql.AskAsync("SELECT version, name FROM migrations WHERE version > 0 ORDER BY version"));
                Assert.Equal("8", await sql.AskAsync("SELECT value FROM history_daily WHERE namespace = 'old'"));
            }

            await sql.AskAsync("INSERT INTO migrations (version, name) VALUES (99, 'later')");
            CheckpointStoreException refused = await Assert.ThrowsAsync<CheckpointStoreException>(() => OpenAsync(process));
            Assert.Contains("version 99", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
