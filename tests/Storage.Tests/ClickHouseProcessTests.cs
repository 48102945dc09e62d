using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

public sealed class ClickHouseProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sketch-process-").FullName;

    [Fact]
    public async Task Killed_process_is_started_anew_and_the_store_goes_on()
    {
        await using ClickHouseProcess process = await StartAsync(_folder);
        await using ClickHouseStore store = await OpenAsync(process);
        LogIdentity log = NewLog();
        await store.StoreAsync(Window(log, 1, 5, [("killed", "a", 1)]), default);
        int first = process.ProcessId;
        Kill(first);
        Checkpoint window = Window(log, 6, 9, [("killed", "a", 2)]);
        await UntilAsync(async () =>
        {
            try
            {
                await store.StoreAsync(window, default);
                return true;
            }
            catch (CheckpointStoreException)
            {
                return false;
            }
        });

        Assert.Equal(3, (await CountersAsync(store, "killed"))["a"]);
        Assert.NotEqual(first, process.ProcessId);
        Assert.Equal(1, process.Restarts);
    }

    [Fact]
    public async Task Totals_are_not_read_where_a_log_has_two_incarnations()
    {
        await using ClickHouseProcess process = await StartAsync(_folder);
        await using ClickHouseStore store = await OpenAsync(process);
        await store.StoreAsync(Window(NewLog(), 1, 10, [("two", "a", 5)]), default);
        using Sql writer = new(process, writer: true);
        await writer.AskAsync(
            """
            INSERT INTO sketch.checkpoints (log, incarnation, from_position, to_position, first_time, last_time, increments, counters)
            SELECT log, incarnation + 1, 1, 5, first_time, last_time, 1, 1 FROM sketch.checkpoints
            """);
        CheckpointStoreException refused = await Assert.ThrowsAsync<CheckpointStoreException>(() => CountersAsync(store, "two"));
        Assert.Contains("another incarnation", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hanging_process_is_killed_and_started_anew()
    {
        await using ClickHouseProcess process = await StartAsync(_folder);
        int first = process.ProcessId;
        TaskCompletionSource restarted = new();
        process.Restarted += restarted.SetResult;
        using Process stop = Process.Start("kill", ["-STOP", $"{first}"]);
        await restarted.Task.WaitAsync(TimeSpan.FromSeconds(60));
        using Sql sql = new(process);
        Assert.Equal("2", await sql.AskAsync("SELECT 1 + 1"));
    }

    /// <summary>
    /// Windows of many chunks are stored while the process is killed again and again in the middle of inserts. In between, a store that knows nothing,
    /// as after a crash of the node, reads totals that never hold a window in part.
    /// </summary>
    [Fact]
    public async Task Kills_in_the_middle_of_inserts_count_every_window_once()
    {
        await using ClickHouseProcess process = await StartAsync(_folder);
        LogIdentity log = NewLog();
        Random random = new(7);
        Dictionary<string, long> truth = [];
        for (int i = 1; i <= 6; i++)
        {
            (string, string Name, long Delta)[] sums = [.. Enumerable.Range(0, 60).Select(n => ("kills", $"c{n}", (long)random.Next(100)))];
            Checkpoint window = Window(log, i, i, sums, names: i == 1, timeMs: Today + i);
            int pause = random.Next(5, 120);
            Task killer = Task.Run(async () =>
            {
                await Task.Delay(pause);
                Kill(process.ProcessId);
            });
            for (bool stored = false; !stored;)
            {
                try
                {
                    await using ClickHouseStore store = await OpenAsync(process, chunkRows: 7);
                    long before = (await store.LastAsync(log, default)).Position;
                    if (before > 0)
                    {
                        Assert.Equal(before < i ? truth : With(truth, sums), await CountersAsync(store, "kills"));
                    }

                    await store.StoreAsync(window, default);
                    stored = true;
                }
                catch (CheckpointStoreException)
                {
                    await Task.Delay(20);
                }
            }

            await killer;
            truth = With(truth, sums);
        }

        Assert.InRange(process.Restarts, 3, 6);
        await UntilAsync(async () =>
        {
            try
            {
                await using ClickHouseStore store = await OpenAsync(process);
                Assert.Equal(6, (await store.LastAsync(log, default)).Position);
                Assert.Equal(truth, await CountersAsync(store, "kills"));
                return true;
            }
            catch (CheckpointStoreException)
            {
                return false;
            }
        });
        using Sql sql = new(process);
        Assert.Equal(
            $"{truth.Values.Sum()}", await sql.AskAsync("SELECT sum(value) FROM totals WHERE namespace = 'kills'"));
        Assert.Equal(
            $"{truth.Values.Sum()}", await sql.AskAsync("SELECT sum(value) FROM history_hourly WHERE namespace = 'kills'"));
    }

    [Fact]
    public async Task Process_ends_when_told_to()
    {
        ClickHouseProcess process = await StartAsync(_folder);
        int id = process.ProcessId;
        await process.DisposeAsync();
        Assert.False(Path.Exists($"/proc/{id}"));
    }

    [Fact]
    public async Task Process_ends_when_its_standard_input_does()
    {
        ClickHouseProcessOptions options = Options(_folder);
        using Process process = Process.Start(new ProcessStartInfo(options.Command[0], [.. options.Command.Skip(1), .. options.ClickHouse.ToArguments()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await process.StandardInput.WriteLineAsync(new string('s', 64));
        Assert.StartsWith("embedded-clickhouse-ready ", await process.StandardOutput.ReadLineAsync(), StringComparison.Ordinal);
        process.StandardInput.Close();
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
        await process.WaitForExitAsync(deadline.Token);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Data_folder_is_open_in_one_process_at_a_time()
    {
        FileStream other = await DataFolderLock.TakeAsync(_folder, TimeSpan.Zero, default);
        IOException refused = await Assert.ThrowsAsync<IOException>(() => DataFolderLock.TakeAsync(_folder, TimeSpan.FromMilliseconds(60), default));
        Assert.Contains(_folder, refused.Message, StringComparison.Ordinal);
        Task<ClickHouseProcess> start = StartAsync(_folder);
        await other.DisposeAsync();
        await using ClickHouseProcess process = await start;
        using Sql sql = new(process);
        Assert.Equal("1", await sql.AskAsync("SELECT 1"));
        await Assert.ThrowsAsync<IOException>(() => DataFolderLock.TakeAsync(_folder, TimeSpan.Zero, default));
    }

    /// <summary>What the node's own user asks passes no gate: the process itself cannot.</summary>
    [Theory]
    [InlineData("SELECT file('/etc/passwd')")]
    [InlineData("SELECT count() FROM file('/etc/passwd', 'LineAsString')")]
    [InlineData("SELECT 1 INTO OUTFILE '{outside}'")]
    [InlineData("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')")]
    [InlineData("SELECT * FROM executable('../../../../bin/id', 'LineAsString', 'a String')")]
    public async Task Process_cannot_reach_what_is_not_its_own(string sql)
    {
        await using ClickHouseProcess process = await StartAsync(_folder);
        using Sql writer = new(process, writer: true);
        string outside = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.AskAsync(sql.Replace("{outside}", outside, StringComparison.Ordinal)));
        Assert.False(Path.Exists(outside));
        // Where the wall stands, it is Landlock and not a lack of rights: the file is readable for this user.
        Assert.NotEmpty(await File.ReadAllTextAsync("/etc/passwd"));
    }

    [Fact]
    public async Task Missing_engine_is_named_with_the_command_that_installs_it()
    {
        ClickHouseProcessOptions options = Options(_folder);
        options = options with { ClickHouse = options.ClickHouse with { LibraryPath = "/nowhere/libchdb.so" } };
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => ClickHouseProcess.StartAsync(options, NullLogger<ClickHouseProcess>.Instance, TimeProvider.System, default));
        Assert.Contains("/nowhere/libchdb.so", error.Message, StringComparison.Ordinal);
        Assert.Contains("npm ci", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_are_read_as_they_are_written()
    {
        EmbeddedClickHouseOptions options = new()
        {
            DataFolder = "/data",
            Confine = false,
            Port = 5,
            LibraryPath = "/x.so",
            MaxMemoryBytes = 7,
            ReaderLimits = new() { MaxSeconds = 8, MaxMemoryBytes = 9, MaxResultRows = 10 },
        };
        Assert.Equal(options, EmbeddedClickHouseOptions.Parse(options.ToArguments()));
        Assert.Contains("--port is x", Assert.Throws<ArgumentException>(() => EmbeddedClickHouseOptions.Parse(["--port", "x"])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => EmbeddedClickHouseOptions.Parse(["--other", "x"]));
        Assert.Throws<ArgumentException>(() => EmbeddedClickHouseOptions.Parse(["--port", "1"]));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Dictionary<string, long> With(Dictionary<string, long> totals, IEnumerable<(string, string Name, long Delta)> sums)
    {
        Dictionary<string, long> sum = new(totals);
        foreach ((_, string name, long delta) in sums)
        {
            sum[name] = sum.GetValueOrDefault(name) + delta;
        }

        return sum;
    }

    private static void Kill(int id)
    {
        using Process process = Process.GetProcessById(id);
        process.Kill();
    }
}
