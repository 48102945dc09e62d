using Sketch.Storage.Sql;

namespace Sketch.Tests.Storage;

public sealed class LiveStatementTests
{
    [Theory]
    [InlineData("SELECT value FROM live_values WHERE namespace = 'a'", null, "SELECT value FROM t WHERE namespace = 'a'")]
    [InlineData("SELECT value FROM live_values(confidence = 0.999)", 0.999, "SELECT value FROM t")]
    [InlineData("SELECT value FROM sketch.`live_values` ( CONFIDENCE=.6 ) AS v", 0.6, "SELECT value FROM sketch.t AS v")]
    [InlineData("SELECT (SELECT max(upper) FROM live_values(confidence=0.9)) - sum(value) FROM live_values", 0.9, "SELECT (SELECT max(upper) FROM t) - sum(value) FROM t")]
    [InlineData("SELECT 'live_values(confidence=2)', value FROM live_values", null, "SELECT 'live_values(confidence=2)', value FROM t")]
    [InlineData("SELECT value FROM live_values(certainty = 0.9)", null, "SELECT value FROM t(certainty = 0.9)")]
    public void The_confidence_is_taken_off_with_the_view(string sql, double? confidence, string over)
    {
        LiveStatement statement = LiveStatement.TryParse(sql, [])!;
        Assert.Equal(confidence, statement.Confidence);
        Assert.Equal(over, statement.Over("t"));
    }

    [Theory]
    [InlineData("SELECT value FROM live_values(confidence = 1)", "confidence of live_values is 1; allowed: a number above 0.5 and below 1")]
    [InlineData("SELECT value FROM live_values(confidence = 0.5)", "confidence of live_values is 0.5; allowed: a number above 0.5 and below 1")]
    [InlineData("SELECT value FROM live_values(confidence = 'sure')", "confidence of live_values is 'sure'; allowed: a number above 0.5 and below 1")]
    [InlineData("SELECT 1 FROM live_values(confidence = 0.9) AS a, live_values(confidence = 0.8) AS b", "confidence of live_values is 0.8 after 0.9; allowed: one in a statement")]
    public void Another_confidence_is_refused(string sql, string message) =>
        Assert.Equal(message, Assert.Throws<LiveConfidenceException>(() => LiveStatement.TryParse(sql, [])).Message);
}
