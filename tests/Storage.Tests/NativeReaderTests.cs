using System.Text;
using Sketch.Engine.Checkpoints;
using Sketch.Storage.Store;

namespace Sketch.Tests.Storage;

/// <summary>What ClickHouse's own Native format holds, however it comes in.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class NativeReaderTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly Sql _sql = new(clickHouse.Process);

    // Dictionaries of up to 256, 65,536 and more strings have places of one, two and four bytes; 4 MB of a block do not fit into the first buffer.
    [Theory]
    [InlineData(3, 200_000, 1 << 20)]
    [InlineData(3, 300, 1)]
    [InlineData(300, 70_000, 1_000)]
    [InlineData(70_000, 150_000, 7_777)]
    public async Task Rows_are_read_whole_in_whatever_pieces_they_come(int different, int rows, int pieceBytes)
    {
        string expected = await _sql.AskAsync(Statement(different, rows, "TSV"));
        byte[] answer = await AnswerAsync(different, rows);
        RunColumn spaces = new();
        TextColumn names = new();
        NumberColumn<long> numbers = new("Int64");
        NativeReader reader = new(new InPieces(answer, pieceBytes), spaces, names, numbers);
        StringBuilder told = new();
        while (await reader.NextAsync(CancellationToken.None))
        {
            Assert.Equal((rows, rows), (reader.Rows, spaces.Runs.Sum(r => r.Count))); // all in one block
            Assert.Equal((reader.Rows, reader.Rows), (names.Places.Length, numbers.Values.Length));
            foreach ((string space, int from, int count) in spaces.Runs)
            {
                for (int i = from; i < from + count; i++)
                {
                    TextPlace place = names.Places.Span[i];
                    told.Append(space).Append('\t').Append(Encoding.UTF8.GetString(reader.Text.Span.Slice(place.Start, place.Length))).Append('\t')
                        .Append(numbers.Values.Span[i]).Append('\n');
                }
            }
        }

        Assert.True(expected == told.ToString().TrimEnd('\n'), "rows differ");
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_an_error()
    {
        byte[] answer = await AnswerAsync(3, 50);
        for (int length = 1; length < answer.Length; length++)
        {
            NativeReader reader = new(new MemoryStream(answer, 0, length), new RunColumn(), new TextColumn(), new NumberColumn<long>("Int64"));
            CheckpointStoreException error = await Assert.ThrowsAsync<CheckpointStoreException>(() => reader.NextAsync(CancellationToken.None));
            Assert.Contains("breaks off", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Other_columns_are_an_error()
    {
        byte[] answer = await AnswerAsync(3, 50);
        NativeReader fewer = new(new MemoryStream(answer), new RunColumn(), new TextColumn());
        Assert.Contains("3 columns, not 2", (await Assert.ThrowsAsync<CheckpointStoreException>(() => fewer.NextAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
        NativeReader others = new(new MemoryStream(answer), new RunColumn(), new TextColumn(), new NumberColumn<ulong>("UInt64"));
        Assert.Contains("Int64, not UInt64", (await Assert.ThrowsAsync<CheckpointStoreException>(() => others.NextAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _sql.Dispose();

    private async Task<byte[]> AnswerAsync(int different, int rows)
    {
        using HttpResponseMessage answer = await _sql.PostAsync(Statement(different, rows, "Native"));
        return await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
    }

    // Names of up to 300 bytes: their lengths take one byte or two.
    private static string Statement(int different, int rows, string format) =>
        $"""
        SELECT toLowCardinality('space ' || toString(intDiv(number, 2) % {different})), repeat('ä', number % 150) || toString(number), toInt64(number) - 1000
        FROM numbers({rows}) ORDER BY number SETTINGS max_block_size = {rows} FORMAT {format}
        """;

    private sealed class InPieces(byte[] bytes, int most) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(most, buffer.Length)], cancellationToken);
    }
}
