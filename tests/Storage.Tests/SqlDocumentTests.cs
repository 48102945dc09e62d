using System.Text.RegularExpressions;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

/// <summary>Every statement of docs/sql.md is run as a reader runs it.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed partial class SqlDocumentTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly Sql _sql = new(clickHouse.Process);

    public static TheoryData<string> Statements { get; } = [.. Read()];

    [Theory]
    [MemberData(nameof(Statements))]
    public async Task Documented_statement_has_an_answer(string statement)
    {
        await clickHouse.Store.StoreAsync(
            Window(NewLog(), 1, 1, [("words", "the", 7), ("words", "of", 3)], timeMs: DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()), default);
        await clickHouse.Store.StoreAsync(DistinctStoreTests.Documented(), default);
        Assert.NotEmpty(await _sql.AskAsync(statement));
    }

    [Fact]
    public async Task Documented_columns_are_those_of_the_tables()
    {
        foreach (Match row in ColumnsOfTable().Matches(Document()))
        {
            string columns = await _sql.AskAsync($"SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns WHERE database = 'sketch' AND table = '{row.Groups[1]}'");
            Assert.Equal(row.Groups[2].Value, columns);
        }
    }

    public void Dispose() => _sql.Dispose();

    private static IEnumerable<string> Read() =>
        Document().Split('\n')
            .Where(line => line.StartsWith("    ", StringComparison.Ordinal))
            .Select(line => line.Contains("--data-binary", StringComparison.Ordinal) ? line.Split('"')[1] : line.Trim())
            .Where(line => !line.StartsWith("--", StringComparison.Ordinal) && line.Length > 0)
            // A node answers those: tests/Integration, LiveValuesTests and SqlDoorTests.
            .Where(line => !line.Contains("live_values", StringComparison.Ordinal) && !line.StartsWith("sketch ", StringComparison.Ordinal));

    private static string Document() => File.ReadAllText(Path.Combine(Repository.Root, "docs", "sql.md"));

    [GeneratedRegex(@"^\| `(\w+)` \| ([\w, ]+) \|", RegexOptions.Multiline)]
    private static partial Regex ColumnsOfTable();
}
