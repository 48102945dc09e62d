using System.Globalization;
using System.Text.Json;
using Sketch.Engine.Log;
using Sketch.Server;
using Sketch.Server.Commands;

namespace Sketch.Tests.Server;

/// <summary><c>sketch log</c> tells what a log holds, and says first where it is damaged.</summary>
public sealed class LogCommandTests : IDisposable
{
    private const int Records = 60;
    private readonly string _data = NodeHost.NewFolder();

    private string Log => Path.Combine(_data, "log");

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_good_log_is_counted_by_segment_and_kind()
    {
        await Write();

        (int status, JsonElement answer) = await Json();

        Assert.Equal(ExitCode.Done, status);
        Assert.True(answer.GetProperty("good").GetBoolean());
        Assert.False(answer.GetProperty("inUse").GetBoolean());
        JsonElement log = answer.GetProperty("log");
        Assert.Equal(Directory.GetFiles(Log).Length, log.GetProperty("segments").GetArrayLength());
        Assert.Equal(Records + 1, log.GetProperty("segments").EnumerateArray().Sum(s => s.GetProperty("records").GetInt64()));
        Assert.Equal(
            [("Genesis", 1L), ("Increments", Records)],
            log.GetProperty("kinds").EnumerateArray().Select(k => (k.GetProperty("kind").GetString()!, k.GetProperty("records").GetInt64())));
        (status, string output, string error) = await Run(_data);
        Assert.Equal((ExitCode.Done, ""), (status, error));
        Assert.Contains("Every record is good.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_is_named_with_file_offset_and_position_and_the_exit_code_is_1()
    {
        await Write();
        string segment = Directory.GetFiles(Log).Order(StringComparer.Ordinal).First();
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        bytes[300] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);

        (int status, JsonElement answer) = await Json();

        Assert.Equal(ExitCode.Failed, status);
        JsonElement damage = answer.GetProperty("log").GetProperty("damage");
        Assert.Equal(
            (Path.GetFileName(segment), 144L, 2L),
            (damage.GetProperty("file").GetString(), damage.GetProperty("offset").GetInt64(), damage.GetProperty("position").GetInt64()));
        (status, string output, _) = await Run(_data);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("DAMAGED", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unfinished_end_is_no_damage_and_a_missing_segment_is()
    {
        await Write();
        string last = Directory.GetFiles(Log).Order(StringComparer.Ordinal).Last();
        await File.AppendAllTextAsync(last, new string('x', 100));

        (int status, JsonElement answer) = await Json();
        Assert.Equal((ExitCode.Done, 100L), (status, answer.GetProperty("log").GetProperty("unfinishedBytes").GetInt64()));

        File.Delete(Directory.GetFiles(Log).Order(StringComparer.Ordinal).ElementAt(1));
        (status, answer) = await Json();
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("one is missing", answer.GetProperty("log").GetProperty("damage").GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_a_log_is_not_allowed()
    {
        Directory.CreateDirectory(_data);
        (int status, _, string error) = await Run(_data);
        Assert.Equal(ExitCode.Usage, status);
        Assert.Contains("which holds no log; allowed: a node's data folder", error, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output, string Error)> Run(params string[] arguments)
    {
        using StringWriter output = new(CultureInfo.InvariantCulture);
        using StringWriter error = new(CultureInfo.InvariantCulture);
        int status = await CommandLine.RunAsync(["log", .. arguments], new Terminal(output, error, () => Stream.Null, IsInteractive: false));
        return (status, output.ToString(), error.ToString());
    }

    private async Task<(int Status, JsonElement Answer)> Json()
    {
        (int status, string output, _) = await Run(_data, "--json");
        return (status, JsonDocument.Parse(output).RootElement);
    }

    private async Task Write()
    {
        await using EmbeddedLog log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Log, SegmentBytes = 16 << 10 }, TimeProvider.System, CancellationToken.None);
        for (int i = 1; i <= Records; i++)
        {
            Appended answer = await log.AppendAsync(new LogRecord(RecordKind.Increments, 7, i, 0, new byte[1_000]), Durability.Flushed, CancellationToken.None);
            Assert.Equal(AppendStatus.Appended, answer.Status);
        }
    }
}
